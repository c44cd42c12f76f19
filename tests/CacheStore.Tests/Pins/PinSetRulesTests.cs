using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Pins;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Tests.Pins;

/// <summary>What is pinned, by how many sets, up to how many bytes, and what of it is there after a restart.</summary>
public sealed class PinSetRulesTests : IDisposable
{
    private static readonly ObjectKey[] s_keys = [.. Enumerable.Range(0, 6).Select(i => TestObjects.KeyOf([(byte)i]))];
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<ObjectKey, long> _stored = [];
    private PinSets _pins;

    public PinSetRulesTests() => _pins = Open();

    private string Folder => Path.Combine(_directory.Path, "pins");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(0, PinResult.Pinned)]
    [InlineData(1, PinResult.OverLimit)]
    public void Put_OfAsManyBytesAsMayBe_IsPinnedAndOneMoreIsNot(int more, PinResult expected)
    {
        _stored[s_keys[0]] = _pins.MaxBytes - 10;
        _stored[s_keys[1]] = 10 + more;
        Assert.Equal(PinResult.Pinned, _pins.Put("a", [s_keys[0]]));
        Assert.Equal(PinResult.Pinned, _pins.Put("absent", [s_keys[5]])); // not stored: no bytes
        Assert.Equal(expected, _pins.Put("b", [s_keys[1], s_keys[0], s_keys[1]])); // each is counted once
        Assert.Equal(expected == PinResult.Pinned ? _pins.MaxBytes : _pins.MaxBytes - 10, _pins.Bytes);
        Assert.Equal(expected == PinResult.Pinned, _pins.IsPinned(s_keys[1]));
        Assert.Equal(PinResult.Pinned, _pins.Put("a", [s_keys[1]])); // in the place of the other
    }

    [Fact]
    public void Key_InSeveralSets_IsPinnedUntilTheLastIsGone()
    {
        _stored[s_keys[0]] = 100;
        _stored[s_keys[1]] = 10;
        _pins.Put("b", [s_keys[0], s_keys[1], s_keys[0]]);
        _pins.Put("a", [s_keys[0], s_keys[2]]);
        Assert.Equal(["a", "b"], _pins.SetsOf(s_keys[0]).Order());
        Assert.Equal(["b"], _pins.SetsOf(s_keys[1]));
        Assert.Empty(_pins.SetsOf(s_keys[3]));
        Assert.Equal([s_keys[0], s_keys[1]], _pins.Keys("b"));
        Assert.Null(_pins.Keys("c"));
        Assert.Equal(["a", "b"], _pins.Names.Order());
        Assert.Equal([new PinSet("a", 2, 1, 100), new PinSet("b", 2, 2, 110)], _pins.List());
        Assert.Equal(110, _pins.Bytes);

        Assert.True(_pins.Remove("b"));
        Assert.False(_pins.Remove("b"));
        Assert.Equal((true, false, true), (_pins.IsPinned(s_keys[0]), _pins.IsPinned(s_keys[1]), _pins.IsPinned(s_keys[2])));
        Assert.Equal(100, _pins.Bytes);
        _pins.Put("a", [s_keys[3]]);
        Assert.Equal((false, true, 0L), (_pins.IsPinned(s_keys[0]), _pins.IsPinned(s_keys[3]), _pins.Bytes));
    }

    /// <summary>What comes while the limit is reached is pinned by name, and may be evicted all the same.</summary>
    [Fact]
    public void Object_ThatIsStoredOrGone_CountsWhereItIsPinned()
    {
        _pins.Put("a", [s_keys[0], s_keys[1]]);
        _pins.OnStored(s_keys[2], 5); // nobody's
        Assert.Equal(0, _pins.Bytes);
        _pins.OnStored(s_keys[0], _pins.MaxBytes);
        Assert.Equal((_pins.MaxBytes, true), (_pins.Bytes, _pins.IsExempt(s_keys[0])));
        _pins.OnStored(s_keys[1], 1);
        Assert.Equal((_pins.MaxBytes + 1, true, false), (_pins.Bytes, _pins.IsPinned(s_keys[1]), _pins.IsExempt(s_keys[1])));
        _pins.OnGone(s_keys[1], 1);
        _pins.OnGone(s_keys[2], 5);
        Assert.Equal((_pins.MaxBytes, true), (_pins.Bytes, _pins.IsExempt(s_keys[1])));
        Assert.False(_pins.IsExempt(s_keys[2]));
        _pins.OnStored(s_keys[1], 1);
        _stored[s_keys[1]] = 1;
        _pins.Put("b", []); // counts anew
        Assert.Equal((1L, true), (_pins.Bytes, _pins.IsExempt(s_keys[1])));
    }

    [Fact]
    public void Sets_AfterARestart_AreTheSameAndTheirBytesAreCounted()
    {
        _pins.Put("a/b c", [s_keys[1], s_keys[0]]);
        _pins.Put("none", []);
        _stored[s_keys[0]] = 100;
        _pins = Open();
        Assert.Equal([new PinSet("a/b c", 2, 1, 100), new PinSet("none", 0, 0, 0)], _pins.List());
        Assert.Equal([s_keys[1], s_keys[0]], _pins.Keys("a/b c"));
        Assert.Equal(100, _pins.Bytes);
        string file = Path.Combine(Folder, "a%2Fb%20c.pins");
        byte[] whole = File.ReadAllBytes(file);
        Assert.Equal(16 + (2 * 24), whole.Length);
        IEnumerable<byte[]> flipped = Enumerable.Range(0, whole.Length).Select(at => Flipped(whole, at));
        foreach (byte[] damaged in (byte[][])[.. flipped, whole[..^24], whole[..15]])
        {
            File.WriteAllBytes(file, damaged);
            _pins = Open();
            Assert.Equal(["none"], _pins.Names);
            Assert.False(File.Exists(file));
            Assert.Equal(damaged, File.ReadAllBytes(file + ".damaged"));
        }

        File.WriteAllBytes(file, whole);
        _pins = Open();
        Assert.Equal(2, _pins.Names.Count);
    }

    [Fact]
    public void Names_OfTheGreatestLength_AreTaken()
    {
        Assert.Throws<ArgumentException>(() => _pins.Put("", []));
        Assert.Throws<ArgumentException>(() => _pins.Put(new string('a', 201), []));
        Assert.Equal(PinResult.Pinned, _pins.Put(new string('a', 200), []));
        Assert.Equal(PinResult.Pinned, _pins.Put(new string('/', 80), [])); // 240 as a file's name
        Assert.Throws<ArgumentException>(() => _pins.Put(new string('/', 80) + "a", []));
        Assert.Equal(2, _pins.Names.Count);
    }

    /// <summary>A power failure behind the answer takes nothing of it back.</summary>
    [Fact]
    public void Set_ThatIsPutOrRemoved_IsSoOnTheDeviceBeforeItIsSaid()
    {
        NotingDisk disk = new();
        PinSets pins = new(Folder, 10_000, disk, static _ => null, NullLogger.Instance);
        Assert.Equal(PinResult.Pinned, pins.Put("a", [s_keys[0]]));
        Assert.Equal(["sync a.pins.new", "replace a.pins", "sync pins"], disk.Done);
        disk.Done.Clear();
        Assert.True(pins.Remove("a"));
        Assert.Equal(["delete a.pins", "sync pins"], disk.Done);
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        byte[] changed = [.. bytes];
        changed[at] ^= 1;
        return changed;
    }

    private PinSets Open() => new(
        Folder, 10_000, new StoreDisk(), key => _stored.TryGetValue(key, out long length) ? length : null, NullLogger.Instance);

    private sealed class NotingDisk : StoreDisk
    {
        public List<string> Done { get; } = [];

        public override void Sync(SafeFileHandle file)
        {
            Done.Add($"sync {Path.GetFileName(NameOf(file))}");
            base.Sync(file);
        }

        public override void SyncDirectory(string path)
        {
            Done.Add($"sync {Path.GetFileName(path)}");
            base.SyncDirectory(path);
        }

        public override void Replace(string path, string name)
        {
            Done.Add($"replace {Path.GetFileName(name)}");
            base.Replace(path, name);
        }

        public override void Delete(string path)
        {
            Done.Add($"delete {Path.GetFileName(path)}");
            base.Delete(path);
        }
    }
}
