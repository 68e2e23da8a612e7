"""The door to iAGENT: password grant with Basic client authentication, pinned version, errors as the map reads them."""

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr

from connectors.fieldmap import FieldMap
from connectors.http import Door
from connectors.operations import reading
from connectors.sign_in import password_grant, token_error


def door(
    fieldmap: FieldMap,
    *,
    base_url: str,
    client_id: str,
    client_secret: SecretStr,
    username: str,
    password: SecretStr,
    per_second: float,
    timeout: float,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Door:
    """A door to iAGENT, timeout in seconds. Raises ValueError for a URL without TLS that is not on this machine."""
    transport = fieldmap.transport
    token_door = Door(base_url, vendor="novomind", clock=clock, sleep=sleep, classify=token_error, timeout=timeout)
    return Door(
        base_url + transport.base_path,
        vendor="novomind",
        clock=clock,
        sleep=sleep,
        sign_in=password_grant(
            token_door,
            transport.token_path,
            client_id=client_id,
            client_secret=client_secret,
            username=username,
            password=password,
            clock=clock,
        ),
        classify=reading(fieldmap),
        per_second=per_second,
        burst=4,
        timeout=timeout,
        headers={"Accept": transport.accept},
    )
