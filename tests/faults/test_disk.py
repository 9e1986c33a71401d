#!/usr/bin/env python3
"""The disk that can be full. Skipped where nothing can be mounted."""
import errno
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import disk  # noqa: E402


class FullDisk(unittest.TestCase):
    def test_it_fills_and_empties(self):
        if not disk.enter_namespace():
            self.skipTest("file systems cannot be mounted here")
        with tempfile.TemporaryDirectory() as folder:
            small = disk.Disk(os.path.join(folder, "disk"), True)
            self.addCleanup(small.close)
            self.write(small, "kept")
            self.write(small, "deleted")
            self.assertTrue(small.fill())
            self.assert_full(small)
            os.unlink(os.path.join(small.folder, "deleted"))
            self.assertTrue(small.fill())
            self.assert_full(small)
            small.empty()
            self.write(small, "after")
            self.assertEqual(sorted(os.listdir(small.folder)), ["after", "kept"])
            small.close()
            self.assertEqual(os.listdir(small.folder), [])

    def test_without_the_right_to_mount_it_is_a_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            plain = disk.Disk(os.path.join(folder, "disk"), False)
            self.assertFalse(plain.fill())
            self.write(plain, "written")
            plain.close()
            self.assertEqual(os.listdir(plain.folder), ["written"])

    @staticmethod
    def write(where, name):
        with open(os.path.join(where.folder, name), "wb") as file:
            file.write(bytes(100000))

    def assert_full(self, where):
        with self.assertRaises(OSError) as failed:
            self.write(where, "beyond")
        self.assertEqual(failed.exception.errno, errno.ENOSPC)
        os.unlink(os.path.join(where.folder, "beyond"))


if __name__ == "__main__":
    unittest.main()
