using System.Globalization;
using System.IO.Pipes;
using Breakwater.CacheStore.Disk;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Tests.Disk;

/// <summary>What the system's calls tell, and what they say when they fail.</summary>
public sealed class PosixTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StoreDisk _disk = new();

    private string FilePath => Path.Combine(_directory.Path, "file");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_OfAFile_GivesWhatIsThereAndNothingBehindIt()
    {
        File.WriteAllBytes(FilePath, [1, 2, 3, 4, 5]);
        using SafeFileHandle file = _disk.Open(FilePath);
        byte[] to = new byte[4];
        Assert.Equal(4, Posix.Read(file, to, 0));
        Assert.Equal([1, 2, 3, 4], to);
        Assert.Equal(2, Posix.Read(file, to, 3));
        Assert.Equal([4, 5], to[..2]);
        Assert.Equal(0, Posix.Read(file, to, 5));
        Assert.Equal(4, Posix.ReadNoWait(file, to, 1)); // it was written just now
        Assert.Equal([2, 3, 4, 5], to);
        Assert.Equal(2, _disk.ReadFully(file, to, 3));
        Assert.Equal(4, _disk.ReadFully(file, to, 0));
        using SafeFileHandle none = new(-1, ownsHandle: false);
        Assert.Equal((-1, -1), (Posix.Read(none, to, 0), Posix.ReadNoWait(none, to, 0)));
        Assert.Equal(0UL, Posix.StampOf(none));
    }

    [Fact]
    public void Mapping_OfAFileThatIsOpenForReadingOnly_IsNone()
    {
        File.WriteAllBytes(FilePath, new byte[4096]);
        using SafeFileHandle file = File.OpenHandle(FilePath);
        Assert.Equal(0, Posix.MapWritable(file, 4096));
    }

    [Fact]
    public void Stamp_OfAFile_IsAnotherOnceItsLengthIs()
    {
        File.WriteAllBytes(FilePath, [1, 2, 3]);
        using SafeFileHandle file = _disk.Open(FilePath);
        ulong stamp = Posix.StampOf(file);
        Assert.NotEqual(0UL, stamp);
        Assert.Equal(stamp, Posix.StampOf(file));
        _disk.SetLength(file, 4);
        Assert.NotEqual(stamp, Posix.StampOf(file));
    }

    /// <summary>Two writes of the same second are told apart as soon as the file system does.</summary>
    [Fact]
    public void Stamp_OfAFile_IsAnotherOnceItWasWrittenTo()
    {
        using SafeFileHandle file = _disk.Open(FilePath);
        long before;
        long after;
        ulong stampBefore;
        ulong stampAfter;
        do
        {
            (before, stampBefore) = Written(file);
            do
            {
                (after, stampAfter) = Written(file);
            }
            while (after == before);
        }
        while (after / TimeSpan.TicksPerSecond != before / TimeSpan.TicksPerSecond);

        Assert.NotEqual(stampBefore, stampAfter);
    }

    [Fact]
    public void Resident_OfPagesJustWritten_UpToOneMebibyte()
    {
        const int Mebibyte = 1 << 20;
        File.WriteAllBytes(FilePath, new byte[2 * Mebibyte]);
        using SafeFileHandle file = _disk.Open(FilePath);
        nint start = Posix.MapShared(file, 2 * Mebibyte);
        Assert.True(start > 0);
        Assert.True(Posix.IsResident(start, 1));
        Assert.True(Posix.IsResident(start + 4095, 2));
        Assert.True(Posix.IsResident(start, Mebibyte));
        Assert.True(Posix.IsResident(start + 1, Mebibyte)); // touches a page more
        Assert.False(Posix.IsResident(start, Mebibyte + 8192));
        Posix.Unmap(start, 2 * Mebibyte);
        Assert.False(IsMapped(start, FilePath));
    }

    /// <summary>What was never written nor read is a hole of the file, and in nobody's memory.</summary>
    [Fact]
    public void Resident_OfPagesThatNobodyTouched_IsFalse()
    {
        const int Page = 4096;
        using SafeFileHandle file = _disk.Open(FilePath);
        _disk.SetLength(file, 64 * Page);
        RandomAccess.Write(file, new byte[Page], 32 * Page);
        nint start = Posix.MapShared(file, 64 * Page);
        nint written = start + (32 * Page);
        Assert.True(Posix.IsResident(written, 1));
        Assert.True(Posix.IsResident(written, Page));
        Assert.True(Posix.IsResident(written + Page - 1, 1));
        Assert.False(Posix.IsResident(written, Page + 1));
        Assert.False(Posix.IsResident(written - 1, 2));
        Assert.False(Posix.IsResident(start, 1));
        Posix.Unmap(start, 64 * Page);
    }

    [Fact]
    public unsafe void MemoryFile_IsWrittenAndReadAsMemoryAndAsAFile()
    {
        const int Bytes = (3 << 20) + 4096;
        MappedMemory memory = MappedMemory.TryMake(Bytes)!;
        Assert.Equal(Bytes, RandomAccess.GetLength(memory.Handle));
        new Span<byte>(memory.Start, Bytes).Fill(7);
        byte[] read = new byte[Bytes];
        Assert.Equal(Bytes, _disk.ReadFully(memory.Handle, read, 0));
        Assert.All(read.Distinct(), b => Assert.Equal(7, b));
        RandomAccess.Write(memory.Handle, [9], Bytes - 1);
        Assert.Equal(9, memory.Start[Bytes - 1]);
        nint start = (nint)memory.Start;
        Assert.True(IsMapped(start, "breakwater-staged", Bytes));
        using SafeFileHandle descriptor = new(memory.Handle.DangerousGetHandle(), ownsHandle: false);
        ulong stamp = Posix.StampOf(descriptor);
        Assert.NotEqual(0UL, stamp);
        memory.Dispose();
        Assert.False(IsMapped(start, "breakwater-staged", Bytes));
        Assert.True(memory.Handle.IsClosed);
        Assert.NotEqual(stamp, Posix.StampOf(descriptor)); // the system has closed it, too
        Assert.Null(MappedMemory.TryMake(0)); // the system makes none
    }

    [Fact]
    public void Directory_ThatIsNotThere_IsNamedWithTheErrorsNumber()
    {
        string absent = Path.Combine(_directory.Path, "absent");
        IOException failure = Assert.Throws<IOException>(() => Posix.SyncDirectory(absent));
        Assert.StartsWith($"open of directory {absent}: ", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("(errno 2)", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, failure.HResult);
        Assert.Throws<IOException>(() => Posix.LockDirectory(absent, out _));
        Posix.SyncDirectory(_directory.Path);
    }

    [Fact]
    public void Sync_OfWhatHasNoDisk_Fails()
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        using SafeFileHandle handle = new(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        IOException failure = Assert.Throws<IOException>(() => Posix.SyncData(handle));
        Assert.StartsWith("fdatasync: ", failure.Message, StringComparison.Ordinal);
        Assert.False(Posix.Reserve(handle, 0, 4096));
    }

    [Fact]
    public void Lock_OfADirectory_IsOneProcesssUntilItIsClosed()
    {
        SafeFileHandle first = Posix.LockDirectory(_directory.Path, out bool isLocked)!;
        Assert.True(isLocked);
        Assert.Null(Posix.LockDirectory(_directory.Path, out isLocked));
        Assert.False(isLocked);
        first.Dispose();
        using SafeFileHandle? second = Posix.LockDirectory(_directory.Path, out isLocked);
        Assert.True(isLocked && second is not null);
    }

    [Theory]
    [InlineData((64 << 10) - 1)]
    [InlineData((64 << 10) + 1)]
    [InlineData((2 << 20) + 5)]
    public void Write_OfAnyLength_HasAllBytesAtTheirPlace(int length)
    {
        using SafeFileHandle file = _disk.Open(FilePath);
        byte[] bytes = TestObjects.Bytes(length, length);
        _disk.Write(file, bytes, 100);
        _disk.Sync(file);
        Assert.Equal([.. new byte[100], .. bytes], File.ReadAllBytes(FilePath));
        Assert.True(_disk.Reserve(file, 0, 8 << 20));
        Assert.Equal(100 + length, new FileInfo(FilePath).Length);
    }

    [Fact]
    public void Files_OfAFolder_AreCountedAndByAge()
    {
        string[] names = ["new", "old", "middle"];
        DateTime now = DateTime.UtcNow;
        for (int i = 0; i < 3; i++)
        {
            string path = Path.Combine(_directory.Path, names[i] + ".seg");
            File.WriteAllBytes(path, new byte[10 + i]);
            File.SetLastWriteTimeUtc(path, now.AddHours(names[i] switch { "new" => 0, "middle" => -1, _ => -2 }));
        }

        Assert.Equal(["old.seg", "middle.seg", "new.seg"], _disk.FilesByAge(_directory.Path).Select(Path.GetFileName));
        string absent = Path.Combine(_directory.Path, "absent");
        Assert.Equal(
            (33L, 10L, 0L), (_disk.BytesOf(_directory.Path), _disk.BytesOf(_directory.Path, "new*"), _disk.BytesOf(absent)));
        Assert.Equal(["new.seg"], _disk.FilesOf(_directory.Path, "new*").Select(Path.GetFileName));
        Assert.Equal(11, _disk.LengthOf(Path.Combine(_directory.Path, "old.seg")));
    }

    [Fact]
    public void WholeFile_ReplacesWhatWasThereInTheModeThatIsAskedFor()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // it has no modes
        }

        File.WriteAllText(FilePath + ".new", "of a process that was killed");
        File.SetUnixFileMode(FilePath + ".new", WholeFile.Readable);
        WholeFile.Write(FilePath, "one"u8, WholeFile.Secret);
        Assert.Equal(("one", (UnixFileMode)0x180), (File.ReadAllText(FilePath), File.GetUnixFileMode(FilePath)));
        WholeFile.Write(FilePath, "other"u8, WholeFile.Readable);
        Assert.Equal(("other", (UnixFileMode)0x1a4), (File.ReadAllText(FilePath), File.GetUnixFileMode(FilePath)));
        Assert.Equal([FilePath], Directory.GetFileSystemEntries(_directory.Path));

        string folder = Path.Combine(_directory.Path, "folder");
        StoreFolder.Make(folder);
        Assert.Equal((UnixFileMode)0x1e8, File.GetUnixFileMode(folder));
        Assert.ThrowsAny<Exception>(() => WholeFile.Write(folder, "x"u8, WholeFile.Readable));
        Assert.Equal([FilePath, folder], Directory.GetFileSystemEntries(_directory.Path).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Retry_OfAWriteThatFailed_IsASecondLaterOrWhenItIsTold(bool isTold)
    {
        FakeTimeProvider time = new();
        using DiskHealth health = new(time, NullLogger.Instance);
        health.RetryNow(); // before the failure: of no consequence
        health.Report(new IOException("full"));
        long began = time.GetTimestamp();
        if (isTold)
        {
            health.RetryNow();
        }

        Task waiting = Task.Run(health.WaitBeforeRetry);
        await Breakwater.TestSupport.Waiting.UntilAsync(() =>
        {
            time.Advance(isTold || waiting.IsCompleted ? TimeSpan.Zero : TimeSpan.FromMilliseconds(250));
            return waiting.IsCompleted;
        });
        Assert.Equal(!isTold, time.GetElapsedTime(began) >= TimeSpan.FromSeconds(1));
    }

    private (long Time, ulong Stamp) Written(SafeFileHandle file)
    {
        RandomAccess.Write(file, [1], 0);
        return (File.GetLastWriteTimeUtc(FilePath).Ticks, Posix.StampOf(file));
    }

    private static bool IsMapped(nint start, string name, long bytes = 0)
    {
        foreach (string line in File.ReadLines("/proc/self/maps").Where(line => line.Contains(name, StringComparison.Ordinal)))
        {
            nint[] range = [.. line.Split(' ')[0].Split('-')
                .Select(part => nint.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            if (range[0] == start && (bytes == 0 || range[1] - range[0] == bytes))
            {
                return true;
            }
        }

        return false;
    }
}
