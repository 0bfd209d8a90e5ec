"""What licences are called: Graph names them by codes only, people by what stands on the offer.

Source: the vendor's public list of product names and service plan identifiers, those that small firms buy.
"""

from __future__ import annotations

from collections.abc import Iterable

from integrations.microsoft365.schemas import Sku

NAMES: dict[str, str] = {
    "SPB": "Microsoft 365 Business Premium",
    "O365_BUSINESS_PREMIUM": "Microsoft 365 Business Standard",
    "O365_BUSINESS_ESSENTIALS": "Microsoft 365 Business Basic",
    "O365_BUSINESS": "Microsoft 365 Apps for Business",
    "OFFICESUBSCRIPTION": "Microsoft 365 Apps for Enterprise",
    "SPE_F1": "Microsoft 365 F3",
    "SPE_E3": "Microsoft 365 E3",
    "SPE_E5": "Microsoft 365 E5",
    "STANDARDPACK": "Office 365 E1",
    "ENTERPRISEPACK": "Office 365 E3",
    "ENTERPRISEPREMIUM": "Office 365 E5",
    "EXCHANGESTANDARD": "Exchange Online (Plan 1)",
    "EXCHANGEENTERPRISE": "Exchange Online (Plan 2)",
    "EXCHANGEDESKLESS": "Exchange Online Kiosk",
    "AAD_PREMIUM": "Microsoft Entra ID P1",
    "AAD_PREMIUM_P2": "Microsoft Entra ID P2",
    "INTUNE_A": "Microsoft Intune Plan 1",
    "EMS": "Enterprise Mobility + Security E3",
    "EMSPREMIUM": "Enterprise Mobility + Security E5",
    "ATP_ENTERPRISE": "Microsoft Defender for Office 365 (Plan 1)",
    "VISIO_PLAN1_DEPT": "Visio Plan 1",
    "VISIOCLIENT": "Visio Plan 2",
    "PROJECTPROFESSIONAL": "Project Plan 3",
    "POWER_BI_STANDARD": "Microsoft Fabric (Free)",
    "POWER_BI_PRO": "Power BI Pro",
    "FLOW_FREE": "Microsoft Power Automate Free",
    "TEAMS_EXPLORATORY": "Microsoft Teams Exploratory",
    "MCOEV": "Microsoft Teams Phone Standard",
    "MCOMEETADV": "Microsoft 365 Audio Conferencing",
}


def product_name(sku: Sku) -> str:
    """What people call a licence; its code where no name is known."""
    return NAMES.get(sku.part, sku.part or sku.sku_id)


def named(skus: Iterable[Sku], wanted: str) -> Sku | None:
    """The licence that somebody means by its name, code or id; None where none bears it."""
    word = wanted.strip().casefold()
    return next((one for one in skus if word in (product_name(one).casefold(), one.part.casefold(), one.sku_id)), None)
