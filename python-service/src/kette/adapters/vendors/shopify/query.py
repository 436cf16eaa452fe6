"""What is asked of the GraphQL Admin interface: one order with all that the reader reads.

The same query serves the pull of changed orders, so that a fetched, a pulled and a pushed order
read the same. Names are those of the GraphQL Admin reference.
"""

from __future__ import annotations

from typing import Final

from kette.domain.facts import Fetch

API_PATH: Final = "/admin/api/2026-07/graphql.json"

_MONEY: Final = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_ADDRESS: Final = """{
  firstName lastName name company address1 address2 zip city provinceCode countryCodeV2 phone
}"""
_TAX: Final = f"taxLines {{ title rate priceSet {_MONEY} }}"
_DISCOUNT: Final = f"discountAllocations {{ allocatedAmountSet {_MONEY} }}"
_TRANSACTION: Final = (
    "id kind status test gateway processedAt createdAt errorCode authorizationCode"
    f" authorizationExpiresAt parentTransaction {{ id }} amountSet {_MONEY}"
)
_PAGE: Final = "pageInfo { hasNextPage endCursor }"
_LINE_ITEM: Final = f"""
  id name title sku quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard taxable
  variant {{ id }} product {{ id }} customAttributes {{ key value }}
  originalUnitPriceSet {_MONEY} {_DISCOUNT} {_TAX}
  duties {{ id price {_MONEY} {_TAX} }}
""".strip()
ORDER_FIELDS: Final = f"""
id name createdAt updatedAt processedAt cancelledAt closedAt cancelReason confirmed test
currencyCode presentmentCurrencyCode taxesIncluded dutiesIncluded sourceName customerLocale
email phone note poNumber confirmationNumber statusPageUrl paymentGatewayNames returnStatus
displayFinancialStatus displayFulfillmentStatus
customAttributes {{ key value }}
billingAddress {_ADDRESS}
shippingAddress {_ADDRESS}
customer {{ id email locale }}
purchasingEntity {{
  ... on PurchasingCompany {{
    company {{ name }} location {{ taxSettings {{ taxRegistrationId }} }}
  }}
}}
paymentTerms {{ paymentTermsName paymentTermsType dueInDays }}
risk {{ recommendation }}
totalPriceSet {_MONEY}
currentTotalPriceSet {_MONEY}
totalTaxSet {_MONEY}
currentTotalTaxSet {_MONEY}
totalDiscountsSet {_MONEY}
totalOutstandingSet {_MONEY}
totalReceivedSet {_MONEY}
totalTipReceivedSet {_MONEY}
originalTotalDutiesSet {_MONEY}
currentTotalDutiesSet {_MONEY}
additionalFees {{ id name price {_MONEY} {_TAX} }}
taxLines {{ title rate priceSet {_MONEY} }}
lineItems(first: 250) {{ nodes {{ {_LINE_ITEM} }} {_PAGE} }}
shippingLines(first: 20, includeRemovals: false) {{ nodes {{
  id title code source isRemoved originalPriceSet {_MONEY} discountedPriceSet {_MONEY}
  {_DISCOUNT} {_TAX}
}} {_PAGE} }}
transactions(first: 50) {{ {_TRANSACTION} }}
refunds(first: 50) {{
  id createdAt processedAt note
  refundLineItems(first: 100) {{ nodes {{
    quantity restockType lineItem {{ id }} subtotalSet {_MONEY} totalTaxSet {_MONEY}
  }} {_PAGE} }}
  refundShippingLines(first: 10) {{ nodes {{
    id subtotalAmountSet {_MONEY} taxAmountSet {_MONEY}
  }} }}
  transactions(first: 20) {{ nodes {{ {_TRANSACTION} }} }}
}}
fulfillments(first: 50) {{
  id status displayStatus createdAt updatedAt trackingInfo {{ company number url }}
  fulfillmentLineItems(first: 100) {{ nodes {{ quantity lineItem {{ id }} }} {_PAGE} }}
}}
fulfillmentOrders(first: 20) {{ nodes {{ id status }} }}
""".strip()
ORDER_QUERY: Final = f"query KetteOrder($id: ID!) {{ order(id: $id) {{ {ORDER_FIELDS} }} }}"
# A page of a pull: names only. An order with all that belongs to it costs so many points that a
# page of them would be refused; each is read by itself, with the query that webhooks ask for.
CHANGED_QUERY: Final = (
    "query KetteChanged($query: String!, $first: Int!, $after: String) {"
    " orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {"
    f" nodes {{ id updatedAt }} {_PAGE} }}"
    " ordersCount(query: $query, limit: null) { count precision } }"
)
LINE_ITEMS_QUERY: Final = (
    "query KetteLineItems($id: ID!, $after: String!) { order(id: $id) {"
    f" id lineItems(first: 250, after: $after) {{ nodes {{ {_LINE_ITEM} }} {_PAGE} }} }} }}"
)
SUBSCRIPTIONS_QUERY: Final = (
    "query KetteSubscriptions($after: String) { webhookSubscriptions(first: 100, after: $after) {"
    f" nodes {{ id topic uri }} {_PAGE} }} }}"
)


def order_fetch(order_id: str) -> Fetch:
    """One order by the number in its id."""
    return Fetch(
        resource="order",
        id=order_id,
        path=API_PATH,
        body={"query": ORDER_QUERY, "variables": {"id": f"gid://shopify/Order/{order_id}"}},
    )
