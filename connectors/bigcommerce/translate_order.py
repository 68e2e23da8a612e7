"""Orders with their lines, payments and parcels; refunds as settlements."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from connectors.bigcommerce import payloads as told_by
from connectors.bigcommerce.payloads import OrderAddress
from models.consent import ConsentEvent
from models.landing import Deletion
from models.loyalty import LoyaltyEntry
from models.orders import (
    Discount,
    Fulfilment,
    Money,
    Order,
    OrderChannel,
    OrderLine,
    PaymentStatus,
    Refund,
    Return,
    Settlement,
    Tax,
    Tender,
)
from models.records import ContactPoint, Person, PostalAddress

_PAYMENT: Mapping[str, PaymentStatus] = {
    "authorized": "authorised",
    "held for review": "authorised",
    "captured": "paid",
    "paid": "paid",
    "capture pending": "pending",
    "pending": "pending",
    "partially refunded": "part_refunded",
    "refunded": "refunded",
    "declined": "failed",
    "void": "failed",
    "void pending": "failed",
}
_CHANNELS: Mapping[str, OrderChannel] = {"iphone": "app", "ipad": "app", "android": "app", "manual": "phone"}
_MONEY_CAME = {"purchase", "capture", "settled"}
_COUPONS = ("item discount", "percentage", "order discount", "shipping discount", "free shipping", "promotion")


def order_body(told: told_by.Order, brands: Mapping[str, str]) -> Order | Deletion:
    """An order, or its deletion: the vendor keeps an archived order readable and marks it."""
    if told.is_deleted:
        return Deletion(at=told.date_modified)
    card = _metafield(told, "loyaltyNumber")
    return Order(
        number=told.id,
        status=told.status,
        payment_status=_PAYMENT.get((told.payment_status or "").lower(), "unknown"),
        placed_at=told.date_created,
        channel=_channel(told),
        brand=brands.get(told.channel_id or ""),
        store=told.channel_id,
        currency=told.currency,
        locale=told.customer_locale,
        customer=told.customer_id if told.customer_id not in {None, "0"} else None,
        person=_buyer(told, brands) if told.billing_address else None,
        loyalty_number=card,
        total=_money(told, told.total_inc_tax),
        lines=(*(_line(told, product) for product in _products(told)), *(_fee(told, fee) for fee in told.fees)),
        discounts=tuple(_discounts(told)),
        taxes=tuple(_taxes(told)),
        tenders=tuple(_tenders(told)),
        fulfilments=tuple(_fulfilments(told)),
        loyalty=tuple(_points(told, card)) if card else (),
        attributes=dict(_leftovers(told)),
    )


def refund_body(told: told_by.Refund, _: Mapping[str, str]) -> Settlement:
    """A refund, in the currency of its order; products in it are returns."""
    amount = Money(amount=told.total_amount, currency=told.order.currency)
    return Settlement(
        order=told.order_id,
        refunds=(Refund(refund_id=told.id, amount=amount, reason=told.reason, at=told.created),),
        returns=tuple(
            Return(
                return_id=f"{told.id}:{item.item_id}",
                line=item.item_id,
                quantity=item.quantity if item.quantity is not None else Decimal(1),
                at=told.created,
            )
            for item in told.items
            if item.item_type == "PRODUCT"
        ),
    )


def _money(told: told_by.Order, amount: Decimal) -> Money:
    return Money(amount=amount, currency=told.currency)


def _channel(told: told_by.Order) -> OrderChannel:
    if (told.external_source or "").upper() == "POS" or told.order_source == "pos":
        return "pos"
    return _CHANNELS.get((told.order_source or "").lower(), "web")


def _metafield(told: told_by.Order, key: str) -> str | None:
    return next((field.value for field in told.metafields if field.key == key), None)


def _buyer(told: told_by.Order, brands: Mapping[str, str]) -> Person:
    """Who is billed. An address that goods went to is the buyer's only if it bears the buyer's name."""
    billed = told.billing_address or OrderAddress()
    addresses = [_address(billed, "billing")]
    own = (address for address in _sent_to(told) if _name(address) == _name(billed))
    addresses += [place for address in own if (place := _address(address, "shipping")).line1]
    contacts: list[ContactPoint] = []
    if billed.email:
        contacts.append(ContactPoint(kind="email", value=billed.email, label="billing", primary=True))
    if billed.phone:
        contacts.append(ContactPoint(kind="phone", value=billed.phone, label="billing", primary=True))
    return Person(
        given_name=billed.first_name,
        family_name=billed.last_name,
        organisation=billed.company,
        locale=told.customer_locale,
        brand=brands.get(told.channel_id or ""),
        contact_points=tuple(contacts),
        addresses=tuple(dict.fromkeys(place for place in addresses if place.line1 or place.postcode or place.city)),
        consents=tuple(_opted_in(told, billed, brands)),
    )


def _opted_in(told: told_by.Order, billed: OrderAddress, brands: Mapping[str, str]) -> Iterator[ConsentEvent]:
    """A tick at the checkout is a yes; no tick is no answer."""
    if told.is_email_opt_in and billed.email:
        brand = brands.get(told.channel_id or "")
        yield ConsentEvent(
            contact_point=billed.email, channel="email", brand=brand, status="opt_in", at=told.date_created
        )


def _sent_to(told: told_by.Order) -> Iterator[OrderAddress]:
    yield from told.shipping_addresses
    yield from told.consignments.shipping


def _name(address: OrderAddress) -> tuple[str, str]:
    return (address.first_name or "").casefold(), (address.last_name or "").casefold()


def _address(told: OrderAddress, label: str) -> PostalAddress:
    return PostalAddress(
        label=label,
        line1=told.street_1,
        line2=told.street_2,
        postcode=told.zip,
        city=told.city,
        region=told.state,
        country=told.country_iso2 or told.country,
        primary=label == "billing",
    )


def _products(told: told_by.Order) -> list[told_by.OrderProduct]:
    """Positions, from the list of products or from the parts of the order, whichever was read; each once."""
    parts = told.consignments
    grouped = (*parts.shipping, *parts.pickups, *parts.downloads, *parts.email.gift_certificates)
    found = told.products or [product for part in grouped for product in part.line_items]
    return sorted(
        {product.id: product for product in found}.values(), key=lambda product: (len(product.id), product.id)
    )


def _line(told: told_by.Order, product: told_by.OrderProduct) -> OrderLine:
    """Amounts include tax. Discounts of the whole order are not taken off here."""
    own = [discount for discount in product.applied_discounts if discount.target != "order"]
    taken = sum((discount.amount for discount in own), start=Decimal(0))
    return OrderLine(
        line_id=product.id,
        sku=product.sku,
        name=product.name,
        quantity=product.quantity,
        unit_price=_money(told, product.price_inc_tax),
        amount=_money(told, product.total_inc_tax - taken),
        discounts=tuple(
            Discount(code=discount.code, name=discount.name, amount=_money(told, discount.amount)) for discount in own
        ),
        taxes=tuple(
            Tax(name=tax.name, rate=tax.rate, amount=_money(told, tax.line_amount), included=True)
            for tax in told.taxes
            if tax.order_product_id == product.id and tax.line_item_type == "item"
        ),
    )


def _fee(told: told_by.Order, fee: told_by.Fee) -> OrderLine:
    return OrderLine(
        line_id=f"fee-{fee.id}",
        name=fee.display_name_customer,
        quantity=Decimal(1),
        amount=_money(told, fee.cost_inc_tax),
    )


def _discounts(told: told_by.Order) -> Iterator[Discount]:
    """Coupons that no line has taken already, and what the shop took off by hand or by rule."""
    of_lines = {
        discount.code
        for product in _products(told)
        for discount in product.applied_discounts
        if discount.code and discount.target != "order"
    }
    for coupon in told.coupons:
        if coupon.code not in of_lines:
            name = _COUPONS[coupon.type] if coupon.type is not None and coupon.type < len(_COUPONS) else None
            yield Discount(code=coupon.code, name=name, amount=_money(told, coupon.discount))
    if told.discount_amount > 0:
        yield Discount(name="order discount", amount=_money(told, told.discount_amount))


def _taxes(told: told_by.Order) -> Iterator[Tax]:
    """Per name and rate over the whole order; the bare total where no details were read. All contained in the total."""
    sums: defaultdict[tuple[str | None, Decimal], Decimal] = defaultdict(Decimal)
    for tax in told.taxes:
        sums[tax.name, tax.rate] += tax.line_amount
    for (name, rate), amount in sums.items():
        yield Tax(name=name, rate=rate, amount=_money(told, amount), included=True)
    if not sums and told.total_tax > 0:
        yield Tax(amount=_money(told, told.total_tax), included=True)


def _tenders(told: told_by.Order) -> Iterator[Tender]:
    """Money that came, as the payment provider tells it, else as the order does."""
    for movement in told.transactions:
        if movement.event in _MONEY_CAME and movement.status != "error":
            yield Tender(
                tender=movement.method,
                amount=Money(amount=movement.amount, currency=movement.currency),
                reference=movement.gateway_transaction_id or movement.id,
                at=movement.date_created,
            )
    if not told.transactions:
        yield from _tenders_of_order(told)


def _tenders_of_order(told: told_by.Order) -> Iterator[Tender]:
    vouchers = {"store_credit": told.store_credit_amount, "gift_certificate": told.gift_certificate_amount}
    rest = told.total_inc_tax - sum(vouchers.values())
    for name, amount in ((told.payment_method, rest), *vouchers.items()):
        if name and amount > 0:
            yield Tender(tender=name, amount=_money(told, amount))


def _fulfilments(told: told_by.Order) -> Iterator[Fulfilment]:
    for parcel in told.shipments:
        yield Fulfilment(
            fulfilment_id=parcel.id,
            method=parcel.shipping_method,
            carrier=parcel.tracking_carrier or parcel.shipping_provider,
            tracking_number=parcel.tracking_number,
            status="shipped",
            at=parcel.date_created,
            lines=tuple(item.order_product_id for item in parcel.items),
        )
    for pickup in told.consignments.pickups:
        lines = tuple(product.id for product in pickup.line_items)
        method = pickup.pickup_method_display_name or "pickup"
        yield Fulfilment(fulfilment_id=f"pickup-{pickup.id}", method=method, lines=lines)


def _points(told: told_by.Order, card: str) -> Iterator[LoyaltyEntry]:
    """Points that the order earned and used, kept by the loyalty app in metafields of the order."""
    for key, movement, sign in (("pointsEarned", "earn", 1), ("pointsRedeemed", "redeem", -1)):
        points = _metafield(told, key)
        if points is not None:
            entry = {
                "account": card,
                "external_id": f"bigcommerce:{told.id}:{movement}",
                "movement": movement,
                "points": points,
                "at": told.date_created,
                "order": told.id,
            }
            read = LoyaltyEntry.model_validate(entry)
            yield read.model_copy(update={"points": sign * abs(read.points)})


def _leftovers(told: told_by.Order) -> Iterator[tuple[str, str]]:
    """What has no field of ours."""
    for name in ("shipping_cost_inc_tax", "handling_cost_inc_tax", "wrapping_cost_inc_tax"):
        if getattr(told, name) > 0:
            yield name, str(getattr(told, name))
    for name in ("external_source", "external_id", "external_order_id", "cart_id"):
        if getattr(told, name):
            yield name, getattr(told, name)
    method = next((address.shipping_method for address in _sent_to(told) if address.shipping_method), None)
    if method:
        yield "shipping_method", method
    if told.currency_code and told.currency_code != told.currency:
        yield "display_currency", told.currency_code
