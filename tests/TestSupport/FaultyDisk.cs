using System.Collections.Concurrent;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.TestSupport;

/// <summary>
/// A disk that fails on demand, and that can lose its power: what was not synced is then dropped, kept or torn, sector by sector.
/// </summary>
internal sealed class FaultyDisk : StoreDisk
{
    private const int SectorBytes = 512;

    private readonly ConcurrentDictionary<SafeFileHandle, TrackedFile> _open = new();
    private readonly Dictionary<string, TrackedFile> _named = []; // locked by _unsynced
    private readonly List<Unsynced> _unsynced = []; // locked
    private readonly HashSet<string> _unsyncedNames = []; // locked by _unsynced
    private readonly List<UnsyncedName> _unsyncedChanges = []; // of names that were there before; locked by _unsynced
    private int _setAside; // guarded by _unsynced's lock
    private volatile Func<string, bool>? _losesPowerAtWrite;
    private volatile bool _isPowerLost;

    /// <summary>Thrown by writes, syncs and reservations while it is set.</summary>
    public IOException? WriteFault { get; set; }

    /// <summary>Thrown by waiting reads while it is set; reads that do not wait find nothing in memory.</summary>
    public IOException? ReadFault { get; set; }

    /// <summary>Reads of what was read a moment ago.</summary>
    public int HotReads { get; private set; }

    public static IOException Full => new("No space left on device", 28);

    public static IOException InputOutput => new("Input/output error", 5);

    /// <summary>Opens a store on it.</summary>
    public Task<FasterObjectStore> OpenStoreAsync(StoreOptions options) =>
        FasterObjectStore.OpenAsync(options, this, TimeProvider.System, NullLogger.Instance, default);

    public override SafeFileHandle Open(string path)
    {
        lock (_unsynced)
        {
            bool isNew = !File.Exists(path);
            if (isNew)
            {
                Throw(WriteFault);
                _unsyncedNames.Add(path);
            }

            if (isNew || !_named.TryGetValue(path, out TrackedFile? file))
            {
                file = _named[path] = new TrackedFile(path);
            }

            SafeFileHandle handle = base.Open(path);
            _open[handle] = file;
            return handle;
        }
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        Throw(WriteFault);
        TrackedFile written = _open[file];
        lock (written)
        {
            byte[] before = new byte[bytes.Length];
            ReadFullyIgnoringFaults(file, before, offset);
            lock (_unsynced)
            {
                _unsynced.Add(new Unsynced(written, offset, before));
            }

            base.Write(file, bytes, offset);
        }

        if (_losesPowerAtWrite?.Invoke(written.Path) == true)
        {
            LosePower();
        }
    }

    public override void Sync(SafeFileHandle file)
    {
        Throw(WriteFault);
        TrackedFile synced = _open[file];
        lock (synced) // not in the middle of a write
        {
            lock (_unsynced)
            {
                _unsynced.RemoveAll(write => write.File == synced);
            }
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
            base.Replace(path, name);
            RenameLocked(path, name);
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

    /// <summary>Has the power failed?</summary>
    public bool IsPowerLost => _isPowerLost;

    /// <summary>The power fails behind the next write, before its sync.</summary>
    /// <param name="isThere">Which file that is to be a write of, by its path; null: any.</param>
    public void LosePowerAtNextWrite(Func<string, bool>? isThere = null) => _losesPowerAtWrite = isThere ?? (static _ => true);

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
            if (!File.Exists(write.File.Path))
            {
                continue;
            }

            using SafeFileHandle file = File.OpenHandle(write.File.Path, FileMode.Open, FileAccess.ReadWrite);
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
        RenameLocked(name, before);
        return before;
    }

    /// <summary>What was written to a file and not synced goes with it: another one may have its name from now on.</summary>
    private void RenameLocked(string name, string now)
    {
        if (_named.Remove(name, out TrackedFile? file))
        {
            file.Path = now;
            _named[now] = file;
        }
    }

    private static void ReadFullyIgnoringFaults(SafeFileHandle file, byte[] buffer, long offset)
    {
        int total = 0;
        for (int n; total < buffer.Length && (n = RandomAccess.Read(file, buffer.AsSpan(total), offset + total)) > 0;)
        {
            total += n;
        }
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

    private sealed record Unsynced(TrackedFile File, long Offset, byte[] Before);

    /// <summary>A file, whatever its name is at present. Locked while it is written.</summary>
    private sealed class TrackedFile(string path)
    {
        private volatile string _path = path;

        public string Path
        {
            get => _path;
            set => _path = value;
        }
    }
}
