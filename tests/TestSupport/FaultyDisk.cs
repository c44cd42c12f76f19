using System.Collections.Concurrent;
using Breakwater.CacheStore.Disk;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.TestSupport;

/// <summary>
/// A disk that fails on demand, and that can lose its power: what was not synced is then dropped, kept or torn, sector by sector.
/// </summary>
internal sealed class FaultyDisk : StoreDisk
{
    private const int SectorBytes = 512;

    private readonly ConcurrentDictionary<string, SafeFileHandle> _handles = new();
    private readonly ConcurrentDictionary<SafeFileHandle, string> _paths = new();
    private readonly List<Unsynced> _unsynced = []; // locked
    private readonly HashSet<string> _unsyncedNames = []; // locked by _unsynced
    private readonly List<UnsyncedName> _unsyncedChanges = []; // of names that were there before; locked by _unsynced
    private int _setAside; // guarded by _unsynced's lock
    private volatile bool _losesPowerAtNextWrite;
    private volatile bool _isPowerLost;

    /// <summary>Thrown by writes, syncs and reservations while it is set.</summary>
    public IOException? WriteFault { get; set; }

    /// <summary>Thrown by waiting reads while it is set; reads that do not wait find nothing in memory.</summary>
    public IOException? ReadFault { get; set; }

    /// <summary>Reads of what was read a moment ago.</summary>
    public int HotReads { get; private set; }

    public static IOException Full => new("No space left on device", 28);

    public static IOException InputOutput => new("Input/output error", 5);

    public override SafeFileHandle Open(string path)
    {
        bool isNew = !File.Exists(path);
        if (isNew)
        {
            Throw(WriteFault);
        }

        SafeFileHandle handle = base.Open(path);
        _paths[handle] = path;
        _handles[path] = handle;
        if (isNew)
        {
            lock (_unsynced)
            {
                _unsyncedNames.Add(path);
            }
        }

        return handle;
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        Throw(WriteFault);
        byte[] before = new byte[bytes.Length];
        int n = ReadFullyIgnoringFaults(file, before, offset);
        lock (_unsynced)
        {
            _unsynced.Add(new Unsynced(_paths[file], offset, before, n));
        }

        base.Write(file, bytes, offset);
        if (_losesPowerAtNextWrite)
        {
            LosePower();
        }
    }

    public override void Sync(SafeFileHandle file)
    {
        Throw(WriteFault);
        lock (_unsynced)
        {
            _unsynced.RemoveAll(write => write.Path == _paths[file]);
        }
    }

    public override void SyncDirectory(string path)
    {
        Throw(WriteFault);
        lock (_unsynced)
        {
            _unsyncedNames.RemoveWhere(name => Path.GetDirectoryName(name) == path);
            foreach (UnsyncedName change
                in _unsyncedChanges.Where(change => Path.GetDirectoryName(change.Name) == path && change.Before is not null))
            {
                File.Delete(change.Before!);
            }

            _unsyncedChanges.RemoveAll(change => Path.GetDirectoryName(change.Name) == path);
        }
    }

    public override void Replace(string path, string name)
    {
        Throw(WriteFault);
        lock (_unsynced)
        {
            _unsyncedChanges.Add(new UnsyncedName(name, SetAside(name)));
            _unsyncedNames.Remove(path);
            for (int i = 0; i < _unsynced.Count; i++)
            {
                _unsynced[i] = _unsynced[i].Path == path ? _unsynced[i] with { Path = name } : _unsynced[i];
            }

            base.Replace(path, name);
        }
    }

    public override void Delete(string path)
    {
        if (_isPowerLost)
        {
            throw new IOException("The power is gone", 5);
        }

        lock (_unsynced)
        {
            if (SetAside(path) is { } before)
            {
                _unsyncedChanges.Add(new UnsyncedName(path, before));
            }
        }
    }

    public override bool Reserve(SafeFileHandle file, long offset, long length)
    {
        Throw(WriteFault);
        return base.Reserve(file, offset, length);
    }

    public override int Read(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        Throw(ReadFault);
        return base.Read(file, buffer, offset);
    }

    public override ValueTask<int> ReadAsync(SafeFileHandle file, Memory<byte> buffer, long offset, CancellationToken cancellationToken) =>
        ReadFault is { } fault ? ValueTask.FromException<int>(fault) : base.ReadAsync(file, buffer, offset, cancellationToken);

    public override int TryRead(SafeFileHandle file, Span<byte> buffer, long offset) =>
        ReadFault is null ? base.TryRead(file, buffer, offset) : -11;

    public override int ReadAgain(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        HotReads++;
        return ReadFault is null ? base.ReadAgain(file, buffer, offset) : -1;
    }

    /// <summary>The power fails behind the next write, before its sync.</summary>
    public void LosePowerAtNextWrite() => _losesPowerAtNextWrite = true;

    /// <summary>The power fails: nothing is written any more. Call <see cref="LoseUnsynced"/> when the store is closed.</summary>
    public void LosePower()
    {
        _isPowerLost = true;
        WriteFault = new IOException("The power is gone", 5);
    }

    /// <summary>Undoes, sector by sector and at random, what was not synced; removes names that were not.</summary>
    public int LoseUnsynced(Random random)
    {
        int lost = 0;
        foreach (Unsynced write in Enumerable.Reverse(_unsynced))
        {
            if (!File.Exists(write.Path))
            {
                continue;
            }

            using SafeFileHandle file = File.OpenHandle(write.Path, FileMode.Open, FileAccess.ReadWrite);
            for (int at = 0; at < write.Before.Length; at += SectorBytes)
            {
                if (random.Next(2) == 0)
                {
                    RandomAccess.Write(file, write.Before.AsSpan(at, Math.Min(SectorBytes, write.Before.Length - at)), write.Offset + at);
                    lost++;
                }
            }
        }

        foreach (string name in _unsyncedNames.Where(File.Exists))
        {
            File.Delete(name);
        }

        foreach (UnsyncedName change in Enumerable.Reverse(_unsyncedChanges))
        {
            bool isUndone = random.Next(2) == 0;
            if (isUndone && change.Before is null)
            {
                File.Delete(change.Name);
            }
            else if (isUndone)
            {
                File.Move(change.Before!, change.Name, overwrite: true);
            }
            else if (change.Before is not null)
            {
                File.Delete(change.Before);
            }
        }

        return lost;
    }

    /// <summary>Takes a name away from its file. Returns the file's name from now on; null: there is none.</summary>
    private string? SetAside(string name)
    {
        if (!File.Exists(name))
        {
            return null;
        }

        string before = $"{name}.before-{++_setAside}";
        File.Move(name, before);
        return before;
    }

    private static int ReadFullyIgnoringFaults(SafeFileHandle file, byte[] buffer, long offset)
    {
        int total = 0;
        for (int n; total < buffer.Length && (n = RandomAccess.Read(file, buffer.AsSpan(total), offset + total)) > 0;)
        {
            total += n;
        }

        return total;
    }

    private static void Throw(IOException? fault)
    {
        if (fault is not null)
        {
            throw new IOException(fault.Message, fault.HResult);
        }
    }

    /// <summary>A name that was taken from its file, or given to another one, and may come back.</summary>
    private sealed record UnsyncedName(string Name, string? Before);

    private sealed record Unsynced(string Path, long Offset, byte[] Before, int BytesThatWereThere);
}
