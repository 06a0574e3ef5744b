using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Shoal.Storage;

/// <summary>The system calls that .NET does not offer: locks that wait, data syncs, directory syncs, link counts, preallocation.</summary>
internal static partial class NativeFiles
{
    // Values of Linux on x64 and arm64 (asm-generic/fcntl.h, sys/file.h, linux/stat.h).
    private const int OpenReadWrite = 2;
    private const int OpenCreate = 0x40;
    private const int OpenCloseOnExec = 0x80000;
    private const int LockExclusive = 2;
    private const int LockRelease = 8;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxLinks = 4;
    private const int StatxSize = 256;
    private const int StatxLinksOffset = 16;
    private const int ErrnoNoEntry = 2;
    private const int ErrnoInterrupted = 4;
    private const int ErrnoNotDirectory = 20;
    private const int ErrnoNotSupported = 95;

    // Windows: a byte far past any data, so that the mandatory lock never hinders a reader.
    private const int WindowsLockHigh = 0x4000_0000;
    private const int WindowsLockExclusive = 2;

    /// <summary>Opens for reading and writing; null when the file is absent and not to be created.</summary>
    internal static SafeFileHandle? Open(string path, bool create)
    {
        if (!OperatingSystem.IsLinux())
        {
            return OpenPortable(path, create);
        }

        // Not File.OpenHandle: on Unix it takes a shared flock for as long as the handle lives, which our own exclusive locks would wait for.
        int descriptor = open(path, OpenReadWrite | OpenCloseOnExec | (create ? OpenCreate : 0), Convert.ToInt32("644", 8));
        if (descriptor < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno is ErrnoNoEntry or ErrnoNotDirectory && !create ? null : throw Failure("open", path, errno);
        }

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Waits for the exclusive lock on an open file; another handle of this or any process excludes it.</summary>
    internal static unsafe void Lock(SafeFileHandle handle)
    {
        if (OperatingSystem.IsWindows())
        {
            NativeOverlapped range = new() { OffsetHigh = WindowsLockHigh };
            if (!LockFileEx(handle, WindowsLockExclusive, 0, 1, 0, &range))
            {
                throw Failure("lock", "file", Marshal.GetLastPInvokeError());
            }

            return;
        }

        while (flock(handle, LockExclusive) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != ErrnoInterrupted)
            {
                throw Failure("flock", "file", errno);
            }
        }
    }

    internal static unsafe void Unlock(SafeFileHandle handle)
    {
        if (OperatingSystem.IsWindows())
        {
            NativeOverlapped range = new() { OffsetHigh = WindowsLockHigh };
            _ = UnlockFileEx(handle, 0, 1, 0, &range);
        }
        else
        {
            _ = flock(handle, LockRelease);
        }
    }

    /// <summary>Whether the open file still has a name: false after a delete or a replacement by anybody.</summary>
    internal static unsafe bool IsLinked(SafeFileHandle handle, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.Exists(path);
        }

        byte* stat = stackalloc byte[StatxSize];
        if (statx(handle, "", AtEmptyPath, StatxLinks, stat) != 0)
        {
            throw Failure("statx", path, Marshal.GetLastPInvokeError());
        }

        return *(uint*)(stat + StatxLinksOffset) > 0;
    }

    /// <summary>Makes an open file's bytes and length durable.</summary>
    internal static void SyncData(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(handle);
        }
        else if (fdatasync(handle) != 0)
        {
            throw Failure("fdatasync", "file", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Makes a directory's names durable. Windows journals them itself.</summary>
    internal static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = open(path, OperatingSystem.IsLinux() ? OpenCloseOnExec : 0, 0);
        if (descriptor < 0)
        {
            throw Failure("open", path, Marshal.GetLastPInvokeError());
        }

        using SafeFileHandle handle = new(descriptor, ownsHandle: true);
        if (fsync(handle) != 0)
        {
            throw Failure("fsync", path, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Reserves disk space, so that a full disk shows here and not in the middle of a later write.</summary>
    internal static void Preallocate(SafeFileHandle handle, long length, string path)
    {
        if (OperatingSystem.IsLinux())
        {
            int errno = posix_fallocate(handle, 0, length);
            if (errno == 0)
            {
                return;
            }

            if (errno != ErrnoNotSupported)
            {
                throw Failure("posix_fallocate", path, errno);
            }
        }

        if (RandomAccess.GetLength(handle) < length)
        {
            RandomAccess.SetLength(handle, length);
        }
    }

    private static SafeFileHandle? OpenPortable(string path, bool create)
    {
        if (!create && !File.Exists(path))
        {
            return null;
        }

        SafeFileHandle handle = File.OpenHandle(
            path, create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (!OperatingSystem.IsWindows())
        {
            Unlock(handle);
        }

        return handle;
    }

    private static IOException Failure(string call, string path, int errno) =>
        new($"{call} of {path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle handle, int operation);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(SafeFileHandle directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle handle);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle handle);

    [LibraryImport("libc")]
    private static partial int posix_fallocate(SafeFileHandle handle, long offset, long length);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static unsafe partial bool LockFileEx(SafeFileHandle handle, int flags, int reserved, int low, int high, NativeOverlapped* range);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static unsafe partial bool UnlockFileEx(SafeFileHandle handle, int reserved, int low, int high, NativeOverlapped* range);
}
