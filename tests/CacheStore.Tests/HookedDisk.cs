using System.Collections.Concurrent;
using Breakwater.CacheStore.Disk;
using Breakwater.TestSupport;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Tests;

/// <summary>A disk on which something happens, or is refused, at one chosen step.</summary>
internal sealed class HookedDisk : StoreDisk
{
    private readonly ConcurrentDictionary<SafeFileHandle, string> _paths = new();

    public Action<string>? BeforeSync { get; set; }

    public Action<string>? AfterRead { get; set; }

    public IOException? OpenFault { get; set; }

    public IOException? ReserveFault { get; set; }

    public Func<string, bool>? ReadFault { get; set; }

    public Exception? DeleteFault { get; set; }

    public Action<string>? BeforeDelete { get; set; }

    public Action<string>? BeforeWrite { get; set; }

    /// <summary>What is free on the disk; null: what really is.</summary>
    public long? Free { get; set; }

    /// <summary>What was not in memory a moment ago: reads that do not wait find nothing.</summary>
    public bool IsCold { get; set; }

    /// <summary>Nobody sees that a file was changed.</summary>
    public bool HidesChanges { get; set; }

    /// <summary>What a read gives at most; null: what it is asked for.</summary>
    public int? MostAtOnce { get; set; }

    public override long FreeBytes(string path) => Free ?? base.FreeBytes(path);

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        BeforeWrite?.Invoke(_paths[file]);
        base.Write(file, bytes, offset);
    }

    /// <summary>How often it was asked whether a file was changed.</summary>
    public int Looks { get; private set; }

    public override ulong StampOf(SafeFileHandle file)
    {
        Looks++;
        return HidesChanges ? 1 : base.StampOf(file);
    }

    public override int ReadAgain(SafeFileHandle file, Span<byte> buffer, long offset) =>
        IsCold ? -1 : base.ReadAgain(file, buffer, offset);

    public override void Delete(string path)
    {
        if (DeleteFault is { } fault)
        {
            throw fault;
        }

        BeforeDelete?.Invoke(path);
        base.Delete(path);
    }

    public override SafeFileHandle Open(string path)
    {
        if (OpenFault is not null && !File.Exists(path))
        {
            throw OpenFault;
        }

        SafeFileHandle handle = base.Open(path);
        _paths[handle] = path;
        return handle;
    }

    public override void Sync(SafeFileHandle file)
    {
        BeforeSync?.Invoke(_paths[file]);
        base.Sync(file);
    }

    /// <summary>What room was asked for last.</summary>
    public (long Offset, long Length) Reserved { get; private set; }

    public override bool Reserve(SafeFileHandle file, long offset, long length)
    {
        Reserved = (offset, length);
        return ReserveFault is null ? base.Reserve(file, offset, length) : throw ReserveFault;
    }

    public override int Read(SafeFileHandle file, Span<byte> buffer, long offset) =>
        ReadFault?.Invoke(_paths[file]) == true ? throw FaultyDisk.InputOutput : base.Read(file, buffer, offset);

    public override ValueTask<int> ReadAsync(
        SafeFileHandle file, Memory<byte> buffer, long offset, CancellationToken cancellationToken) =>
        base.ReadAsync(file, buffer[..Math.Min(buffer.Length, MostAtOnce ?? buffer.Length)], offset, cancellationToken);

    public override int TryRead(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        int n = IsCold || ReadFault?.Invoke(_paths[file]) == true ? -1 : base.TryRead(file, buffer, offset);
        AfterRead?.Invoke(_paths[file]);
        return n;
    }
}
