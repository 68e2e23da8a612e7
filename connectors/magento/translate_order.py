"""Orders with their positions, discounts, taxes and buyers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

from connectors.magento.payloads import NOTHING, Number, exact, kept, told_money
from connectors.magento.payloads_order import Order as Told
from connectors.magento.payloads_order import OrderAddress, OrderItem
from connectors.magento.terms import StoreView, Terms
from connectors.magento.translate_customer import SEXES, rest_of
from models.loyalty import LoyaltyEntry
from models.orders import Discount, Order, OrderLine, PaymentStatus, Tax, Tender
from models.records import ContactPoint, Person, PostalAddress

Below = Mapping[str, Sequence[OrderItem]]

_EXTRA = (
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
)
_extra_of = attrgetter(*_EXTRA)
_amounts_of = attrgetter(
    "row_total", "discount_amount", "tax_amount", "discount_tax_compensation_amount", "weee_tax_applied_row_amount"
)


def order_body(told: Told, terms: Terms) -> Order:
    """An order as it stands. Invoices, shipments and credit memos tell what became of it, apart."""
    view, card = terms.view(told.store_id), told.extension_attributes.loyalty_number or None
    below, vouchers = _below(told), _vouchers(told)
    placed_at = terms.in_utc(told.created_at)
    return Order(
        number=told.increment_id,
        status=told.status,
        payment_status=_payment_status(told),
        placed_at=placed_at,
        channel=view.channel,
        brand=view.brand,
        store=told.store_id or None,
        currency=told.order_currency_code,
        locale=view.locale,
        customer=_customer(told),
        person=_buyer(told, view),
        loyalty_number=card,
        total=told_money(_with(told.grand_total, vouchers), told.order_currency_code),
        lines=tuple([_line(told, item, below.get(item.item_id, ())) for item in _tops(told, below)]),
        discounts=tuple(_discounts(told)),
        taxes=tuple(_taxes(told)),
        tenders=tuple(_tenders(told, vouchers)),
        loyalty=tuple(_points(told, card, placed_at)) if card else (),
        attributes=_leftovers(told),
    )


def _customer(told: Told) -> str | None:
    """A guest has no id; an order whose customer was deleted lost it."""
    return told.customer_id or None if told.customer_is_guest != 1 and told.customer_id != "0" else None


def _payment_status(told: Told) -> PaymentStatus:
    """From the amounts; the vendor has no word for it. Nothing to pay is paid."""
    paid, refunded = exact(told.total_paid), exact(told.total_refunded)
    if refunded > 0:
        return "refunded" if refunded >= paid else "part_refunded"
    if paid >= exact(told.grand_total):
        return "paid"
    if told.state == "canceled":
        return "failed"
    return "authorised" if exact(told.payment.amount_authorized) > 0 else "pending"


def _below(told: Told) -> Below:
    """Items by the item that they belong to."""
    below: dict[str, list[OrderItem]] = {}
    for item in told.items:
        if item.parent_item_id:
            below.setdefault(item.parent_item_id, []).append(item)
    return below


def _tops(told: Told, below: Below) -> Sequence[OrderItem]:
    """Items that count by themselves: each that belongs to no other, or to one that is not told."""
    if not below:
        return told.items
    known = {item.item_id for item in told.items}
    return [item for item in told.items if not item.parent_item_id or item.parent_item_id not in known]


def _line(told: Told, item: OrderItem, below: Sequence[OrderItem]) -> OrderLine:
    """A position with all that was chosen below it, once. Amounts include tax and leave out the line's discounts."""
    currency = told.order_currency_code
    row, off, tax, compensation, fixed = _amounts(item, below)
    taxes = [_tax(None, _percent(item, below), tax, currency)] if tax else []
    if fixed:
        taxes.append(_tax("fixed product tax", None, fixed, currency))
    return OrderLine(
        line_id=item.item_id,
        sku=item.sku or None,
        name=item.name or None,
        quantity=exact(item.qty_ordered),
        unit_price=told_money(item.price_incl_tax or item.price or 0.0, currency),
        amount=told_money(row + tax + compensation + fixed - off, currency),
        discounts=(_discount(told.coupon_code or None, told.discount_description or None, off, currency),)
        if off
        else (),
        taxes=tuple(taxes),
    )


def _amounts(item: OrderItem, below: Sequence[OrderItem]) -> Sequence[Decimal]:
    """Goods, discount, tax, its compensation, fixed tax: as told with the position, or else with the parts of it.

    The simple product below a configurable one costs nothing; below a bundle the parts may carry tax and discount.
    """
    own = [exact(amount) for amount in _amounts_of(item)]
    if not below or all(own):
        return own
    parts = [_amounts_of(part) for part in below]
    return [amount or sum((exact(part[at]) for part in parts), start=NOTHING) for at, amount in enumerate(own)]


def _percent(item: OrderItem, below: Sequence[OrderItem]) -> Number | None:
    """The rate of a position in percent; None where its parts have several."""
    if not below:
        return item.tax_percent or None
    rates = {one.tax_percent for one in (item, *below) if one.tax_percent}
    return rates.pop() if len(rates) == 1 else None


@lru_cache(maxsize=20_000)
def _tax(name: str | None, rate: Number | None, amount: Number, currency: str) -> Tax:
    """A tax that is contained in the price. Prices and rates repeat, and so do taxes."""
    return Tax(
        name=name, rate=None if rate is None else exact(rate), amount=told_money(amount, currency), included=True
    )


@lru_cache(maxsize=20_000)
def _discount(code: str | None, name: str | None, amount: Number, currency: str) -> Discount:
    return Discount(code=code, name=name, amount=told_money(amount, currency))


def _discounts(told: Told) -> Iterator[Discount]:
    """The vendor spreads every discount over the items, save for the one on shipping."""
    off = told.shipping_discount_amount
    if off and off > 0:
        yield _discount(told.coupon_code or None, "shipping discount", off, told.order_currency_code)


def _taxes(told: Told) -> Iterator[Tax]:
    """By name and rate over the whole order; the bare total where the shop does not tell them. All are contained."""
    applied, currency = told.extension_attributes.applied_taxes, told.order_currency_code
    for tax in applied:
        yield _tax(tax.title or tax.code or None, tax.percent, tax.amount, currency)
    if not applied and told.tax_amount and told.tax_amount > 0:
        yield _tax(None, None, told.tax_amount, currency)


def _vouchers(told: Told) -> Mapping[str, Number]:
    """What was paid before the vendor worked out its `grand_total`, which leaves it out."""
    extension = told.extension_attributes
    amounts = {
        "store_credit": extension.customer_balance_amount,
        "gift_card": extension.gift_cards_amount,
        "reward_points": extension.reward_currency_amount,
    }
    return {name: amount for name, amount in amounts.items() if amount}


def _with(amount: Number, vouchers: Mapping[str, Number]) -> Number:
    return sum(map(exact, vouchers.values()), start=exact(amount)) if vouchers else amount


def _tenders(told: Told, vouchers: Mapping[str, Number]) -> Iterator[Tender]:
    """Vouchers, and money that came without an invoice. Money with an invoice is the invoice's to tell."""
    for name, amount in vouchers.items():
        if amount > 0:
            yield Tender(tender=name, amount=told_money(amount, told.order_currency_code))
    rest = exact(told.total_paid) - exact(told.total_invoiced)
    if rest > 0:
        yield Tender(
            tender=told.payment.method or "unknown",
            amount=told_money(rest, told.order_currency_code),
            reference=told.payment.last_trans_id or None,
        )


def _sent_to(told: Told) -> Iterator[OrderAddress]:
    for assignment in told.extension_attributes.shipping_assignments:
        if assignment.shipping.address is not None:
            yield assignment.shipping.address


_NOWHERE = OrderAddress()


def _buyer(told: Told, view: StoreView) -> Person | None:
    """Who ordered. An address that goods went to is the buyer's only if it bears the name that was billed."""
    billed = told.billing_address or _NOWHERE
    contacts: list[ContactPoint] = []
    if email := told.customer_email or billed.email:
        contacts.append(ContactPoint(kind="email", value=email, primary=True))
    if billed.telephone:
        contacts.append(ContactPoint(kind="phone", value=billed.telephone, label="billing", primary=True))
    said = {
        "title": told.customer_prefix or billed.prefix,
        "given_name": told.customer_firstname or billed.firstname,
        "middle_name": told.customer_middlename or billed.middlename,
        "family_name": told.customer_lastname or billed.lastname,
        "name_suffix": told.customer_suffix or billed.suffix,
        "organisation": billed.company,
        "sex": SEXES.get(told.customer_gender or ""),
        "birth_date": told.customer_dob,
        "contact_points": tuple(contacts),
        "addresses": tuple(_addresses(told, billed)),
    }
    known = {name: value for name, value in said.items() if value}
    return Person(locale=view.locale, brand=view.brand, **known) if known else None


def _name(address: OrderAddress) -> tuple[str, str]:
    return (address.firstname or "").casefold(), (address.lastname or "").casefold()


def _addresses(told: Told, billed: OrderAddress) -> Iterator[PostalAddress]:
    """Each place once, by what it says and not by what it was used for."""
    seen: set[tuple[object, ...]] = set()
    for label, place in (("billing", billed), *(("shipping", one) for one in _sent_to(told))):
        where = (place.street, place.postcode, place.city, place.region, place.country_id)
        is_somewhere = any(place.street[:1]) or place.postcode or place.city
        if where not in seen and is_somewhere and (label == "billing" or _name(place) == _name(billed)):
            seen.add(where)
            yield PostalAddress(
                label=label,
                line1=(place.street[0] or None) if place.street else None,
                line2=rest_of(place.street),
                postcode=place.postcode or None,
                city=place.city or None,
                region=place.region or None,
                country=place.country_id or None,
                primary=label == "billing",
            )


def _points(told: Told, card: str, at: datetime) -> Iterator[LoyaltyEntry]:
    """Points that the order earned and used, kept by the shop's loyalty module."""
    number, extension = told.entity_id, told.extension_attributes
    if earned := extension.loyalty_points_earned:
        yield LoyaltyEntry(
            account=card, external_id=f"magento:{number}:earn", movement="earn", points=abs(earned), at=at, order=number
        )
    if used := extension.loyalty_points_redeemed:
        yield LoyaltyEntry(
            account=card, external_id=f"magento:{number}:redeem", movement="redeem", points=-abs(used), at=at,
            order=number,
        )  # fmt: skip


def _leftovers(told: Told) -> dict[str, str]:
    """What has no field of ours."""
    extension = told.extension_attributes
    left = {name: value for name, value in zip(_EXTRA, _extra_of(told), strict=True) if value}
    shipping = told.shipping_incl_tax or told.shipping_amount
    if shipping and shipping > 0:
        left["shipping_incl_tax"] = str(kept(shipping))
    for assignment in extension.shipping_assignments:
        if assignment.shipping.method:
            left.setdefault("shipping_method", assignment.shipping.method)
    if told.payment.method:
        left["payment_method"] = told.payment.method
    if extension.pickup_location_code:
        left["pickup_location_code"] = extension.pickup_location_code
    if extension.reward_points_balance:
        left["reward_points_balance"] = extension.reward_points_balance
    return left
