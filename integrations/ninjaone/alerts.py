"""NinjaOne as a monitoring: the alerts that stand, in the words that all vendors share."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.contracts import AlertRecord, DeviceRecord
from integrations.errors import VendorNotFound
from integrations.ninjaone import schemas
from integrations.ninjaone.client import LABEL, NinjaOneClient

_UNKNOWN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_SAYS_NOTHING = ("", "NONE")
#: The vendor's two scales (NinjaOne API 2.0.9, schema Alert): severity counts first, it is of the condition itself.
_BY_SEVERITY = {"CRITICAL": 1, "MAJOR": 2, "MODERATE": 3, "MINOR": 4}
_BY_PRIORITY = {"HIGH": 2, "MEDIUM": 3, "LOW": 4}


class NinjaOneAlerts:
    """An `AlertSource` on a client, which it closes."""

    def __init__(self, client: NinjaOneClient) -> None:
        self._client = client

    def alerts(self) -> list[AlertRecord]:
        """See `AlertSource`."""
        return [_alert(alert) for alert in self._client.alerts()]

    def device(self, external_id: str) -> DeviceRecord:
        """See `AlertSource`."""
        if not (external_id.isascii() and external_id.isdigit()):
            raise VendorNotFound(f"{LABEL} has no device {external_id[:40]}.", sent=False, status=404)
        return _device(self._client.device(int(external_id)))

    def close(self) -> None:
        """See `AlertSource`."""
        self._client.close()


def open_source(client: NinjaOneClient) -> NinjaOneAlerts:
    """The client as a monitoring."""
    return NinjaOneAlerts(client)


def _alert(alert: schemas.Alert) -> AlertRecord:
    raised_at = _moment(alert.created) or _moment(alert.updated) or _UNKNOWN_MOMENT
    grades = {"Severity": alert.severity, "Priority": alert.priority}
    graded = " ".join(f"{name}: {word}." for name, word in grades.items() if word not in _SAYS_NOTHING)
    return AlertRecord(
        external_id=alert.uid,
        # one kind of source watches many things: two scripts that fail on a device are two problems
        condition=": ".join(filter(None, [alert.source, alert.condition or alert.subject])) or "ALERT",
        subject=alert.subject or alert.message or alert.source,
        text="\n\n".join(filter(None, [alert.message, graded])),
        device_external_id=str(alert.device_id) if alert.device_id else "",
        raised_at=raised_at,
        changed_at=_moment(alert.updated) or raised_at,
        urgency=_BY_SEVERITY.get(alert.severity.upper()) or _BY_PRIORITY.get(alert.priority.upper(), 0),
        # some answers hold the device, which says whose it is; its own times change all the time and are no news
        device=_device(alert.device) if alert.device and alert.device.organization_id else None,
        raw=alert.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"device"}),
    )


def _device(device: schemas.Device) -> DeviceRecord:
    return DeviceRecord(
        external_id=str(device.id),
        company_external_id=str(device.organization_id) if device.organization_id else "",
        name=device.name,
        kind=device.node_class,
    )


def _moment(seconds: float) -> datetime | None:
    """A moment of NinjaOne's; None where there is none, or one outside the calendar."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
