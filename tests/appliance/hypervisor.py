"""A libvirt of the tests' own, for `vagrant up`: in the agency's namespace, with its own state, settings and socket.

Owns: a folder with libvirt's state, Vagrant's home and a box made from the stock root. Nothing of it reaches a libvirt
that runs on this machine, and it has no network but the agency's. Emulated: no KVM is needed or used.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.appliance.network import DIRECTORY, ELSEWHERE, TIME_SERVER, WORKSTATION, Network
from tests.appliance.rootfs import ADDRESS, CACHE, Layer, disk_image, kernel_of, run
from tests.support.waiting import until

BOX = "bookworm-for-tests"
_GIGABYTES = 10

# No user, label, control group or namespace for the emulator, which libvirt's own sandbox asks a whole machine for.
_QEMU_SETTINGS = """user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
stdio_handler = "file"
"""

# The one address that is given out is the one which the answers name.
_AGENCY_NETWORK = f"""<network>
  <name>vagrant-libvirt</name>
  <bridge name="lan0" stp="off" delay="0"/>
  <ip address="{WORKSTATION}" netmask="255.255.255.0">
    <dhcp><range start="{ADDRESS}" end="{ADDRESS}"/></dhcp>
  </ip>
</network>
"""

# What a public box brings: an account `vagrant` with Vagrant's published key, sudo without a password, a lease.
_BOX_ROOT = """
printf '[Match]\\nName=en*\\n\\n[Network]\\nDHCP=ipv4\\n' > /etc/systemd/network/10-lan.network
dpkg --install /tmp/sudo.deb >/dev/null
rm /tmp/sudo.deb
useradd --create-home --shell /bin/bash vagrant
printf 'vagrant ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/vagrant
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
install -m 600 -o vagrant -g vagrant /tmp/vagrant.pub /home/vagrant/.ssh/authorized_keys
rm /tmp/vagrant.pub
"""


class Hypervisor:
    """`start` it, call `vagrant` in a folder, and `close` it, which removes what it made."""

    def __init__(self, network: Network, stock_root: Path) -> None:
        self.network, self.stock_root = network, stock_root
        self.folder = CACHE / f"hypervisor-{network.name}"
        for part in ("lib/images", "etc", "home"):
            (self.folder / part).mkdir(parents=True)
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """libvirt, its one network, and the box."""
        # The cable goes to libvirt's bridge, which has the workstation's address; the servers keep theirs.
        run("ip", "-n", self.network.agency, "link", "del", "lan0")
        for address in (DIRECTORY, TIME_SERVER, ELSEWHERE):
            run("ip", "-n", self.network.agency, "address", "add", f"{address}/32", "dev", "lo")
        shutil.copytree("/etc/libvirt", self.folder / "etc", dirs_exist_ok=True)
        (self.folder / "etc/qemu.conf").write_text(_QEMU_SETTINGS)
        (self.folder / "network.xml").write_text(_AGENCY_NETWORK)
        script = (
            "mkdir -p /run/libvirt /var/lib/libvirt /etc/libvirt && mount -t tmpfs tmpfs /run/libvirt"
            f" && mount --bind {self.folder}/lib /var/lib/libvirt && mount --bind {self.folder}/etc /etc/libvirt"
            " && exec libvirtd"
        )
        self._daemon = self.network.start("unshare", "--mount", "sh", "-c", script, log=self.folder / "libvirtd.log")
        until(self._answers, 30, 0.2, explain=(self.folder / "libvirtd.log").read_text)
        self.call("virsh", "--quiet", "net-define", str(self.folder / "network.xml"))
        self.call("virsh", "--quiet", "net-start", "vagrant-libvirt")
        box = self._make_box()
        self.vagrant(self.folder, "box", "add", "--name", BOX, "--provider", "libvirt", str(box))
        box.unlink()

    def _answers(self) -> bool:
        assert self._daemon and self._daemon.poll() is None, (self.folder / "libvirtd.log").read_text()
        return self.call("virsh", "--quiet", "list", check=False).returncode == 0

    def _make_box(self) -> Path:
        layer = Layer.over(self.stock_root)
        (layer.upper / "tmp").mkdir(mode=0o1777)
        (sudo,) = (CACHE.parent / "bundle-pool/debs").glob("sudo_*.deb")
        shutil.copy(sudo, layer.upper / "tmp/sudo.deb")
        (published,) = Path("/usr/share/rubygems-integration/all/gems").glob("vagrant-[0-9]*/keys/vagrant.pub")
        shutil.copy(published, layer.upper / "tmp")
        layer.in_chroot(_BOX_ROOT)
        raw, disk = self.folder / "root.raw", self.folder / "box.img"
        disk_image(layer, raw, _GIGABYTES)
        run("qemu-img", "convert", "-q", "-O", "qcow2", raw, disk)
        raw.unlink()
        layer.remove()
        about = {"provider": "libvirt", "format": "qcow2", "virtual_size": _GIGABYTES}
        (self.folder / "metadata.json").write_text(json.dumps(about))
        kernel, initrd = kernel_of(self.stock_root)
        (self.folder / "Vagrantfile").write_text(
            'Vagrant.configure("2") do |config|\n'
            "  config.vm.boot_timeout = 900\n"
            '  config.vm.provider "libvirt" do |libvirt|\n'
            '    libvirt.driver = "qemu"\n'
            '    libvirt.cpu_mode = "custom"\n'
            '    libvirt.cpu_model = "qemu64"\n'
            f'    libvirt.kernel = "{kernel}"\n'
            f'    libvirt.initrd = "{initrd}"\n'
            '    libvirt.cmd_line = "root=/dev/vda rw console=ttyS0 quiet"\n'
            f'    libvirt.management_network_address = "{ADDRESS.rpartition(".")[0]}.0/24"\n'
            '    libvirt.management_network_mode = "none"\n'
            "  end\nend\n"
        )
        box = self.folder / "stock.box"
        run("tar", "-C", self.folder, "-cSf", box, "metadata.json", "Vagrantfile", "box.img")
        disk.unlink()
        return box

    def call(self, *command: str, check: bool = True, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """A command where libvirt's socket is."""
        assert self._daemon
        done = subprocess.run(
            ["nsenter", f"--target={self._daemon.pid}", "--mount", "--net", *command],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done

    def vagrant(
        self,
        folder: Path,
        *words: str,
        given: dict[str, str] | None = None,
        check: bool = True,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """`vagrant WORDS` in a folder, with `given` in its environment."""
        own = {"VAGRANT_HOME": str(self.folder / "home"), "HOME": str(self.folder), "VAGRANT_CWD": str(folder)}
        settings = [f"{name}={value}" for name, value in {**(given or {}), **own}.items()]
        return self.call("env", *settings, "vagrant", *words, check=check, timeout=timeout)

    def close(self) -> None:
        """Ends its machines and itself."""
        if self._daemon:
            for machine in self.call("virsh", "--quiet", "list", "--name", check=False).stdout.split():
                self.call("virsh", "--quiet", "destroy", machine, check=False)
            self.call("virsh", "--quiet", "net-destroy", "vagrant-libvirt", check=False)
            self._daemon.terminate()
            self._daemon.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
