using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Pins;

/// <summary>
/// Named sets of objects that are never evicted. An object may be in several sets and is pinned while it is in any. A key may be pinned
/// before its object is stored. Persistent, thread-safe.
/// </summary>
public sealed class PinSets
{
    /// <summary>At most this share of the quota: the rest must stay able to take what the site asks for.</summary>
    public const double MaxShareOfQuota = 0.6;

    private const uint MagicNumber = 0x31505742; // "BWP1"
    private const string Extension = ".pins";
    private const int MaxFileNameLength = 240; // with ".pins.damaged" still below the file system's 255

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ObjectKey[]> _sets = new(StringComparer.Ordinal); // guarded by _gate
    private readonly ConcurrentDictionary<ObjectKey, int> _counts = new(); // sets that a key is in; written under _gate
    private readonly ConcurrentDictionary<ObjectKey, byte> _overflow = new(); // pinned, arrived when the limit was reached: evictable
    private readonly string _directory;
    private readonly StoreDisk _disk;
    private readonly Func<ObjectKey, long?> _lengthOf;
    private long _bytes; // of present pinned objects

    internal PinSets(string directory, long quotaBytes, StoreDisk disk, Func<ObjectKey, long?> lengthOf, ILogger logger)
    {
        _directory = directory;
        _disk = disk;
        _lengthOf = lengthOf;
        MaxBytes = (long)(MaxShareOfQuota * quotaBytes);
        disk.MakeFolder(directory);
        foreach (string path in disk.FilesOf(directory, "*" + Extension))
        {
            if (TryLoad(path, out ObjectKey[] keys))
            {
                AddLocked(Uri.UnescapeDataString(Path.GetFileNameWithoutExtension(path)), keys);
            }
            else
            {
                logger.LogError("The pin set {Path} is damaged or cannot be read; its objects are not pinned. Pin the set again.", path);
                disk.Replace(path, path + ".damaged");
            }
        }

        _bytes = PresentBytes(_counts.Keys).Bytes;
    }

    /// <summary>Most bytes that may be pinned.</summary>
    public long MaxBytes { get; }

    /// <summary>Bytes of the pinned objects that the store holds, each counted once.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Pins a set, or replaces the one of this name as a whole.</summary>
    /// <param name="name">Any text of at most 200 characters, 240 as it is escaped for a file's name.</param>
    /// <param name="keys">Its objects, stored already or not.</param>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="IOException">The disk refuses; nothing was changed.</exception>
    public PinResult Put(string name, IReadOnlyCollection<ObjectKey> keys)
    {
        string path = PathOf(name);
        ObjectKey[] distinct = [.. keys.Distinct()];
        lock (_gate)
        {
            _sets.TryGetValue(name, out ObjectKey[]? before);
            if (PresentBytes(OthersLocked(name).Concat(distinct).Distinct()).Bytes > MaxBytes)
            {
                return PinResult.OverLimit;
            }

            Save(path, distinct);
            AddLocked(name, distinct);
            DropLocked(before ?? []);
            RecountLocked();
            return PinResult.Pinned;
        }
    }

    /// <summary>Unpins a set. False: there is none of this name.</summary>
    /// <exception cref="IOException">The disk refuses; nothing was changed.</exception>
    public bool Remove(string name)
    {
        string path = PathOf(name);
        lock (_gate)
        {
            if (!_sets.TryGetValue(name, out ObjectKey[]? keys))
            {
                return false;
            }

            if (_disk.HasFile(path))
            {
                _disk.Delete(path);
                _disk.SyncDirectory(_directory);
            }

            _sets.Remove(name);
            DropLocked(keys);
            RecountLocked();
            return true;
        }
    }

    /// <summary>The names of all sets.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
            {
                return [.. _sets.Keys];
            }
        }
    }

    /// <summary>All sets, by name.</summary>
    public IReadOnlyList<PinSet> List()
    {
        KeyValuePair<string, ObjectKey[]>[] sets;
        lock (_gate)
        {
            sets = [.. _sets.OrderBy(static set => set.Key, StringComparer.Ordinal)];
        }

        return [.. sets.Select(set =>
        {
            (int objects, long bytes) = PresentBytes(set.Value);
            return new PinSet(set.Key, set.Value.Length, objects, bytes);
        })];
    }

    /// <summary>The keys of a set; null: there is none of this name.</summary>
    public IReadOnlyList<ObjectKey>? Keys(string name)
    {
        lock (_gate)
        {
            return _sets.GetValueOrDefault(name);
        }
    }

    /// <summary>Names of the sets that a key is in.</summary>
    public IReadOnlyList<string> SetsOf(in ObjectKey key)
    {
        ObjectKey wanted = key;
        lock (_gate)
        {
            return [.. _sets.Where(set => Array.IndexOf(set.Value, wanted) >= 0).Select(static set => set.Key)];
        }
    }

    /// <summary>Is it in any set?</summary>
    public bool IsPinned(in ObjectKey key) => _counts.ContainsKey(key);

    /// <summary>Pinned, and not in excess of the limit: the cleaner must keep it.</summary>
    internal bool IsExempt(in ObjectKey key) => _counts.ContainsKey(key) && !_overflow.ContainsKey(key);

    /// <summary>An object came into the store.</summary>
    internal void OnStored(in ObjectKey key, long length)
    {
        if (_counts.ContainsKey(key) && Interlocked.Add(ref _bytes, length) > MaxBytes)
        {
            _overflow.TryAdd(key, 0);
        }
    }

    /// <summary>An object left the store.</summary>
    internal void OnGone(in ObjectKey key, long length)
    {
        if (_counts.ContainsKey(key))
        {
            Interlocked.Add(ref _bytes, -length);
            _overflow.TryRemove(key, out _);
        }
    }

    private void AddLocked(string name, ObjectKey[] keys)
    {
        _sets[name] = keys;
        foreach (ObjectKey key in keys)
        {
            _counts.AddOrUpdate(key, 1, static (_, count) => count + 1);
        }
    }

    private void DropLocked(ObjectKey[] keys)
    {
        foreach (ObjectKey key in keys)
        {
            if (_counts.AddOrUpdate(key, 0, static (_, count) => count - 1) <= 0)
            {
                _counts.TryRemove(key, out _);
            }
        }
    }

    private void RecountLocked()
    {
        _overflow.Clear();
        Interlocked.Exchange(ref _bytes, PresentBytes(_counts.Keys).Bytes);
    }

    private IEnumerable<ObjectKey> OthersLocked(string name) => _sets.Where(set => set.Key != name).SelectMany(static set => set.Value);

    private (int Objects, long Bytes) PresentBytes(IEnumerable<ObjectKey> keys)
    {
        int objects = 0;
        long bytes = 0;
        foreach (ObjectKey key in keys)
        {
            if (_lengthOf(key) is { } length)
            {
                objects++;
                bytes += length;
            }
        }

        return (objects, bytes);
    }

    private string PathOf(string name)
    {
        if (name.Length is 0 or > 200)
        {
            throw new ArgumentException($"The name of a pin set has 1 to 200 characters, not {name.Length}.", nameof(name));
        }

        string file = Uri.EscapeDataString(name);
        return file.Length <= MaxFileNameLength
            ? Path.Combine(_directory, file + Extension)
            : throw new ArgumentException(
            $"The name of a pin set is its file's name: '{name}' is too long for one ({file.Length} characters as {file}). Use fewer "
            + $"letters other than a to z.", nameof(name));
    }

    private void Save(string path, ObjectKey[] keys)
    {
        _disk.MakeFolder(_directory); // somebody may have deleted it
        ReadOnlySpan<byte> body = MemoryMarshal.AsBytes(keys.AsSpan());
        byte[] bytes = new byte[16 + body.Length];
        MemoryMarshal.Write(bytes, MagicNumber);
        MemoryMarshal.Write(bytes.AsSpan(4), keys.Length);
        MemoryMarshal.Write(bytes.AsSpan(8), XxHash3.HashToUInt64(body));
        body.CopyTo(bytes.AsSpan(16));
        using (SafeFileHandle file = _disk.Open(path + ".new"))
        {
            _disk.SetLength(file, 0);
            _disk.Write(file, bytes, 0);
            _disk.Sync(file);
        }

        _disk.Replace(path + ".new", path);
        _disk.SyncDirectory(_directory);
    }

    private bool TryLoad(string path, out ObjectKey[] keys)
    {
        keys = [];
        byte[] bytes;
        try
        {
            bytes = _disk.ReadAll(path);
        }
        catch (IOException)
        {
            return false;
        }

        if (bytes.Length < 16 || MemoryMarshal.Read<uint>(bytes) != MagicNumber
            || MemoryMarshal.Read<ulong>(bytes.AsSpan(8)) != XxHash3.HashToUInt64(bytes.AsSpan(16))
            || MemoryMarshal.Read<int>(bytes.AsSpan(4)) * (long)Marshal.SizeOf<ObjectKey>() != bytes.Length - 16)
        {
            return false;
        }

        keys = MemoryMarshal.Cast<byte, ObjectKey>(bytes.AsSpan(16)).ToArray();
        return true;
    }
}
