"""What the monitoring knows of a machine, where the demo world does not say it itself: likely, and always the same."""

from __future__ import annotations

import hashlib

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.facts import Device, Monitored, Patch, Program, Service, Volume

GIGABYTE = 10**9
CLASSES = {
    "Switch": "NMS_SWITCH",
    "Firewall": "NMS_FIREWALL",
    "Access Point": "NMS_WAP",
    "Printer": "NMS_PRINTER",
    "NAS": "NMS_SERVER",
}
_BUILDS = {"22H2": "19045", "23H2": "22631", "24H2": "26100", "2019": "17763", "2022": "20348"}
_SERVICES = (
    Service("Spooler", "Print Spooler"),
    Service("wuauserv", "Windows Update", "STOPPED", "DEMAND_START"),
    Service("BITS", "Background Intelligent Transfer Service", "RUNNING", "AUTO_START_DELAYED"),
    Service("WinDefend", "Microsoft Defender Antivirus Service"),
    Service("LanmanWorkstation", "Workstation"),
)
_SERVER_SERVICES = (Service("LanmanServer", "Server"), Service("W32Time", "Windows Time"), Service("DNS", "DNS Server"))
_PROGRAMS = (
    Program("Microsoft 365 Apps for business - en-us", "Microsoft Corporation", "16.0.19231.20194"),
    Program("Google Chrome", "Google LLC", "142.0.7444.60"),
    Program("Sophos Endpoint Agent", "Sophos Limited", "2025.2.1.14"),
    Program("7-Zip 24.08 (x64)", "Igor Pavlov", "24.08"),
)
_USUAL_PATCH = Patch("2026-11 Cumulative Update for Windows 11 (KB5068861)", "KB5068861", "CRITICAL", "MANUAL")


def node_class(device: Device) -> str:
    """The vendor's class of a device."""
    if device.kind in CLASSES:
        return CLASSES[device.kind]
    if "macOS" in device.os:
        return "MAC"
    return "WINDOWS_SERVER" if device.kind == "Server" else "WINDOWS_WORKSTATION"


def spread(name: str, width: int) -> int:
    """A number below `width` that is always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % width


def volumes(device: Device, known: Monitored) -> list[Json]:
    """Volumes with bytes."""
    usual: tuple[Volume, ...] = (Volume("C:", "Windows", 476, 120 + spread(device.name, 200)),)
    if device.kind == "Server":
        usual = (Volume("C:", "System", 240, 90), Volume("D:", "Data", 1900, 700 + spread(device.name, 400)))
    if "macOS" in device.os:
        usual = (Volume("/", "Macintosh HD", 494, 180),)
    if device.kind in CLASSES:
        usual = ()
    return [
        {
            "name": one.name,
            "driveLetter": one.name if one.name.endswith(":") else "",
            "label": one.label,
            "deviceType": "Local Disk",
            "fileSystem": "NTFS" if one.name.endswith(":") else "APFS",
            "autoMount": True,
            "compressed": False,
            "capacity": one.gigabytes * GIGABYTE,
            "freeSpace": one.free * GIGABYTE,
            "serialNumber": hashlib.sha256(f"{device.name}{one.name}".encode()).hexdigest()[:8].upper(),
        }
        for one in known.volumes or usual
    ]


def disks(device: Device) -> list[Json]:
    """The drives behind the volumes."""
    if not device.disk or device.kind in CLASSES:
        return []
    return [
        {
            "name": r"\\.\PHYSICALDRIVE0",
            "description": "Disk drive",
            "interfaceType": "SCSI",
            "manufacturer": "(Standard disk drives)",
            "mediaType": "Fixed hard disk media",
            "model": device.disk,
            "partitionCount": 3,
            "bytesPerSector": 512,
            "serialNumber": f"D{spread(device.name, 10**8):08}",
            "size": (2048 if device.kind == "Server" else 512) * GIGABYTE,
            "smartCapable": True,
            "status": "OK",
        }
    ]


def software(device: Device, known: Monitored) -> list[Json]:
    """What is installed; nothing on devices without an agent."""
    if device.kind in CLASSES:
        return []
    return [
        {
            "name": one.name,
            "publisher": one.publisher,
            "version": one.version,
            "location": "",
            "size": 100_000_000 + spread(one.name, 400_000_000),
            "installDate": "2026-03-02T00:00:00Z",
            "isSystemComponent": False,
        }
        for one in (*known.software, *_PROGRAMS)
    ]


def patches(device: Device, known: Monitored) -> list[Patch]:
    """Updates that are not installed."""
    if known.patches or not device.os.startswith("Windows"):
        return list(known.patches)
    return [_USUAL_PATCH] if spread(device.name, 3) == 0 and device.kind != "Server" else []


def services(device: Device, known: Monitored) -> list[Json]:
    """Windows services; nothing on other systems."""
    if not device.os.startswith("Windows"):
        return []
    usual = (*_SERVICES, *_SERVER_SERVICES) if device.kind == "Server" else _SERVICES
    return [
        {
            "name": one.name,
            "displayName": one.label,
            "description": "",
            "startType": one.start,
            "userName": "LocalSystem",
            "state": one.state,
        }
        for one in (*known.services, *usual)
    ]


def system(device: Device) -> Record:
    """The computer as the query for computer systems tells it."""
    memory = int(device.ram.split()[0]) if device.ram else 0
    return {
        "name": device.name,
        "manufacturer": device.model.split()[0],
        "model": device.model,
        "serialNumber": device.serial,
        "biosSerialNumber": device.serial,
        "domain": f"{device.company.lower()}.local" if device.kind not in CLASSES else "",
        "numberOfProcessors": 2 if device.kind == "Server" else 1,
        "totalPhysicalMemory": memory * 2**30,
        "virtualMachine": False,
        "chassisType": {"Laptop": "LAPTOP", "Server": "DESKTOP", "Workstation": "DESKTOP"}.get(device.kind, "UNKNOWN"),
    }


def operating_system(device: Device, known: Monitored, booted: float) -> Record:
    """The operating system as its query tells it."""
    release = next((word for word in reversed(device.os.split()) if word in _BUILDS), "")
    return {
        "manufacturer": "Apple" if "macOS" in device.os else "Microsoft Corporation",
        "name": device.os or "Firmware",
        "architecture": "64-bit",
        "lastBootTime": booted,
        "buildNumber": _BUILDS.get(release, ""),
        "releaseId": release,
        "locale": "en-US",
        "language": "en",
        "needsReboot": known.needs_reboot,
    }
