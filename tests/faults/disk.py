"""A disk that can be full: a tmpfs in a mount namespace of this process and its children. Without the right to mount it
is a plain folder that never fills."""
import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
MS_REMOUNT, MS_REC, MS_PRIVATE = 0x20, 0x4000, 0x40000
SIZE = 4 << 30


def _mount(what, where, kind, flags, options):
    return LIBC.mount(what, os.fsencode(where), kind, ctypes.c_ulong(flags), options.encode()) == 0


def enter_namespace():
    """Whether this process can mount, unseen by others. To be called before there are threads."""
    return LIBC.unshare(CLONE_NEWNS) == 0 and _mount(None, "/", None, MS_REC | MS_PRIVATE, "")


class Disk:
    """Thread-safe but for close()."""

    def __init__(self, folder, mountable):
        self.folder, self.full = folder, False
        os.makedirs(folder)
        self.mounted = mountable and _mount(b"tmpfs", folder, b"tmpfs", 0, f"size={SIZE},mode=700")

    def _resize(self, size):
        return _mount(b"tmpfs", self.folder, b"tmpfs", MS_REMOUNT, f"size={size}")

    def fill(self):
        """Leaves no room; again from time to time, since what is deleted gives some back. False when it cannot."""
        self.full = self.mounted
        while self.mounted:
            usage = os.statvfs(self.folder)
            # the kernel refuses a size below what is used, which may grow meanwhile
            if self._resize((usage.f_blocks - usage.f_bfree) * usage.f_frsize or usage.f_frsize):
                return True
        return False

    def empty(self):
        self.full = False
        if self.mounted:
            self._resize(SIZE)

    def close(self):
        """Nobody may use it any more."""
        if self.mounted:
            LIBC.umount(os.fsencode(self.folder))
