"""Orders with their positions, discounts, taxes and buyers."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from connectors.magento.payloads import kept
from connectors.magento.payloads_order import Order as Told
from connectors.magento.payloads_order import OrderAddress, OrderItem
from connectors.magento.terms import Terms
from connectors.magento.translate_customer import SEXES
from models.loyalty import LoyaltyEntry
from models.orders import Discount, Money, Order, OrderLine, PaymentStatus, Tax, Tender
from models.records import ContactPoint, Person, PostalAddress

Below = Mapping[str, list[OrderItem]]


def order_body(told: Told, terms: Terms) -> Order:
    """An order as it stands. Invoices, shipments and credit memos tell what became of it, apart."""
    view, card = terms.view(told.store_id), told.extension_attributes.loyalty_number
    below = _below(told)
    return Order(
        number=told.increment_id,
        status=told.status,
        payment_status=_payment_status(told),
        placed_at=terms.moment(told.created_at),
        channel=view.channel,
        brand=view.brand,
        store=told.store_id,
        currency=told.order_currency_code,
        locale=view.locale,
        customer=_customer(told),
        person=_buyer(told, terms),
        loyalty_number=card,
        total=_money(told, told.grand_total + sum(_vouchers(told).values())),
        lines=tuple(_line(told, item, below.get(item.item_id, [])) for item in told.items if _is_top(item, told)),
        discounts=tuple(_discounts(told)),
        taxes=tuple(_taxes(told)),
        tenders=tuple(_tenders(told)),
        loyalty=tuple(_points(told, card, terms)) if card else (),
        attributes=dict(_leftovers(told)),
    )


def _money(told: Told, amount: Decimal) -> Money:
    return Money(amount=kept(amount), currency=told.order_currency_code)


def _customer(told: Told) -> str | None:
    """A guest has no id; an order whose customer was deleted lost it."""
    return told.customer_id if told.customer_is_guest != 1 and told.customer_id not in {None, "0"} else None


def _payment_status(told: Told) -> PaymentStatus:
    """From the amounts; the vendor has no word for it. Nothing to pay is paid."""
    if told.total_refunded > 0:
        return "refunded" if told.total_refunded >= told.total_paid else "part_refunded"
    if told.total_paid >= told.grand_total:
        return "paid"
    if told.state == "canceled":
        return "failed"
    return "authorised" if told.payment.amount_authorized > 0 else "pending"


def _below(told: Told) -> Below:
    """Items by the item that they belong to."""
    below: dict[str, list[OrderItem]] = {}
    for item in told.items:
        if item.parent_item_id:
            below.setdefault(item.parent_item_id, []).append(item)
    return below


def _is_top(item: OrderItem, told: Told) -> bool:
    """Counted by itself: it belongs to no other item, or to one that is not told."""
    return not item.parent_item_id or all(other.item_id != item.parent_item_id for other in told.items)


def _line(told: Told, item: OrderItem, below: list[OrderItem]) -> OrderLine:
    """A position with all that was chosen below it, once. Amounts include tax and leave out the line's discounts.

    The simple product below a configurable one costs nothing; below a bundle the parts may carry tax and discount.
    """

    def amount(name: str) -> Decimal:
        own: Decimal = getattr(item, name)
        return own or sum((getattr(part, name) for part in below), start=Decimal(0))

    off, tax = amount("discount_amount"), amount("tax_amount")
    gross = amount("row_total") + tax + amount("discount_tax_compensation_amount")
    return OrderLine(
        line_id=item.item_id,
        sku=item.sku,
        name=item.name,
        quantity=item.qty_ordered,
        unit_price=_money(told, item.price_incl_tax or item.price),
        amount=_money(told, gross - off),
        discounts=(Discount(code=told.coupon_code, name=told.discount_description, amount=_money(told, off)),)
        if off
        else (),
        taxes=(Tax(rate=_percent(item, below), amount=_money(told, tax), included=True),) if tax else (),
    )


def _percent(item: OrderItem, below: list[OrderItem]) -> Decimal | None:
    """The rate of a position in percent; None where its parts have several."""
    rates = {one.tax_percent for one in (item, *below) if one.tax_percent}
    return rates.pop() if len(rates) == 1 else None


def _discounts(told: Told) -> Iterator[Discount]:
    """The vendor spreads every discount over the items, save for the one on shipping."""
    if told.shipping_discount_amount > 0:
        yield Discount(
            code=told.coupon_code, name="shipping discount", amount=_money(told, told.shipping_discount_amount)
        )


def _taxes(told: Told) -> Iterator[Tax]:
    """By name and rate over the whole order; the bare total where the shop does not tell them. All are contained."""
    for tax in told.extension_attributes.applied_taxes:
        yield Tax(name=tax.title or tax.code, rate=tax.percent, amount=_money(told, tax.amount), included=True)
    if not told.extension_attributes.applied_taxes and told.tax_amount > 0:
        yield Tax(amount=_money(told, told.tax_amount), included=True)


def _vouchers(told: Told) -> Mapping[str, Decimal]:
    """What was paid before the vendor worked out its `grand_total`, which leaves it out."""
    extension = told.extension_attributes
    return {
        "store_credit": extension.customer_balance_amount,
        "gift_card": extension.gift_cards_amount,
        "reward_points": extension.reward_currency_amount,
    }


def _tenders(told: Told) -> Iterator[Tender]:
    """Vouchers, and money that came without an invoice. Money with an invoice is the invoice's to tell."""
    for name, amount in _vouchers(told).items():
        if amount > 0:
            yield Tender(tender=name, amount=_money(told, amount))
    rest = told.total_paid - told.total_invoiced
    if rest > 0:
        yield Tender(
            tender=told.payment.method or "unknown", amount=_money(told, rest), reference=told.payment.last_trans_id
        )


def _sent_to(told: Told) -> Iterator[OrderAddress]:
    for assignment in told.extension_attributes.shipping_assignments:
        if assignment.shipping.address is not None:
            yield assignment.shipping.address


def _buyer(told: Told, terms: Terms) -> Person | None:
    """Who ordered. An address that goods went to is the buyer's only if it bears the name that was billed."""
    billed, view = told.billing_address or OrderAddress(), terms.view(told.store_id)
    places = [_address(billed, "billing")]
    places += [_address(place, "shipping") for place in _sent_to(told) if _name(place) == _name(billed)]
    contacts: list[ContactPoint] = []
    if email := told.customer_email or billed.email:
        contacts.append(ContactPoint(kind="email", value=email, primary=True))
    if billed.telephone:
        contacts.append(ContactPoint(kind="phone", value=billed.telephone, label="billing", primary=True))
    person = Person(
        title=told.customer_prefix or billed.prefix,
        given_name=told.customer_firstname or billed.firstname,
        middle_name=told.customer_middlename or billed.middlename,
        family_name=told.customer_lastname or billed.lastname,
        name_suffix=told.customer_suffix or billed.suffix,
        organisation=billed.company,
        sex=SEXES.get(told.customer_gender or ""),
        birth_date=told.customer_dob,
        locale=view.locale,
        brand=view.brand,
        contact_points=tuple(contacts),
        addresses=_distinct(places),
    )
    return person if person != Person(locale=view.locale, brand=view.brand) else None


def _name(address: OrderAddress) -> tuple[str, str]:
    return (address.firstname or "").casefold(), (address.lastname or "").casefold()


def _distinct(places: list[PostalAddress]) -> tuple[PostalAddress, ...]:
    """Each place once, by what it says and not by what it was used for."""
    once = {place.model_copy(update={"label": None, "primary": False}): place for place in reversed(places)}
    return tuple(place for place in reversed(once.values()) if place.line1 or place.postcode or place.city)


def _address(told: OrderAddress, label: str) -> PostalAddress:
    return PostalAddress(
        label=label,
        line1=told.street[0] if told.street else None,
        line2=", ".join(line for line in told.street[1:] if line) or None,
        postcode=told.postcode,
        city=told.city,
        region=told.region,
        country=told.country_id,
        primary=label == "billing",
    )


def _points(told: Told, card: str, terms: Terms) -> Iterator[LoyaltyEntry]:
    """Points that the order earned and used, kept by the shop's loyalty module."""
    at = terms.moment(told.created_at)
    extension = told.extension_attributes
    for movement, points in (("earn", extension.loyalty_points_earned), ("redeem", extension.loyalty_points_redeemed)):
        if points and at is not None:
            yield LoyaltyEntry(
                account=card,
                external_id=f"magento:{told.entity_id}:{movement}",
                movement="earn" if movement == "earn" else "redeem",
                points=abs(points) if movement == "earn" else -abs(points),
                at=at,
                order=told.entity_id,
            )


def _leftovers(told: Told) -> Iterator[tuple[str, str]]:
    """What has no field of ours."""
    for name in (
        "state",
        "coupon_code",
        "shipping_description",
        "store_name",
        "ext_order_id",
        "ext_customer_id",
        "original_increment_id",
        "relation_parent_real_id",
        "customer_group_id",
        "customer_taxvat",
    ):
        if getattr(told, name):
            yield name, getattr(told, name)
    shipping = told.shipping_incl_tax or told.shipping_amount
    if shipping > 0:
        yield "shipping_incl_tax", str(kept(shipping))
    extension = told.extension_attributes
    method = next((part.shipping.method for part in extension.shipping_assignments if part.shipping.method), None)
    if method:
        yield "shipping_method", method
    if told.payment.method:
        yield "payment_method", told.payment.method
    for name in ("pickup_location_code", "reward_points_balance"):
        if getattr(extension, name):
            yield name, getattr(extension, name)
