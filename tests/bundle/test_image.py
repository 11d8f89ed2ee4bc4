"""The description of the machine in an OVA, as a hypervisor reads it."""

from __future__ import annotations

from defusedxml import ElementTree

from provisioning.image.formats import description

_OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
_RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
_VMW = "{http://www.vmware.com/schema/ovf}"
_PROCESSOR, _MEMORY, _CARD, _DISK = "3", "4", "10", "17"


def test_the_description_names_one_disk_one_card_and_uefi() -> None:
    envelope = ElementTree.fromstring(description("wardwell-0.1.0", "w.vmdk", 123, 456))
    file, disk = envelope.find(f".//{_OVF}File"), envelope.find(f".//{_OVF}Disk")
    assert (file.get(f"{_OVF}href"), file.get(f"{_OVF}size")) == ("w.vmdk", "123")
    assert (disk.get(f"{_OVF}fileRef"), disk.get(f"{_OVF}capacity")) == (file.get(f"{_OVF}id"), "456")
    items = {item.findtext(f"{_RASD}ResourceType"): item for item in envelope.iter(f"{_OVF}Item")}
    assert items[_PROCESSOR].findtext(f"{_RASD}VirtualQuantity") == "2"
    assert items[_MEMORY].findtext(f"{_RASD}VirtualQuantity") == "4096"
    assert items[_DISK].findtext(f"{_RASD}HostResource") == f"ovf:/disk/{disk.get(f'{_OVF}diskId')}"
    networks = {network.get(f"{_OVF}name") for network in envelope.iter(f"{_OVF}Network")}
    assert {items[_CARD].findtext(f"{_RASD}Connection")} == networks
    # The schema of an Item is a sequence in the order of the alphabet; importers refuse another.
    for item in items.values():
        names = [child.tag for child in item]
        assert names == sorted(names)
    switches = {switch.get(f"{_VMW}key"): switch.get(f"{_VMW}value") for switch in envelope.iter(f"{_VMW}Config")}
    assert switches == {"firmware": "efi", "bootOptions.efiSecureBootEnabled": "true"}
