"""The door to the Aptos CRM: client credentials, pace, and errors as the field map reads them."""

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr

from connectors.fieldmap import FieldMap
from connectors.http import Door
from connectors.operations import reading
from connectors.sign_in import client_credentials, token_error


def door(
    fieldmap: FieldMap,
    *,
    base_url: str,
    token_url: str,
    client_id: str,
    client_secret: SecretStr,
    per_second: float,
    timeout: float,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Door:
    """A door to the CRM, timeout in seconds. Raises ValueError for a URL without TLS that is not on this machine."""
    token_door = Door(token_url, vendor="aptos", clock=clock, sleep=sleep, classify=token_error, timeout=timeout)
    transport = fieldmap.transport
    return Door(
        base_url + transport.base_path,
        vendor="aptos",
        clock=clock,
        sleep=sleep,
        sign_in=client_credentials(
            token_door, transport.token_path, client_id=client_id, client_secret=client_secret, clock=clock
        ),
        classify=reading(fieldmap),
        per_second=per_second,
        timeout=timeout,
        headers={"Accept": transport.accept},
    )
