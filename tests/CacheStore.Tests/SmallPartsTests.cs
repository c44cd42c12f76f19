using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests;

/// <summary>The store's smallest parts, each on both sides of its limits.</summary>
public sealed class SmallPartsTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef01234567";

    [Theory]
    [InlineData(Hash, DigestAlgorithm.Sha1, ObjectKind.Plain)]
    [InlineData(Hash + "C", DigestAlgorithm.Sha1, ObjectKind.Catalog)]
    [InlineData(Hash + "P", DigestAlgorithm.Sha1, ObjectKind.Chunk)]
    [InlineData(Hash + "H", DigestAlgorithm.Sha1, ObjectKind.History)]
    [InlineData(Hash + "X", DigestAlgorithm.Sha1, ObjectKind.Certificate)]
    [InlineData(Hash + "M", DigestAlgorithm.Sha1, ObjectKind.MetaInfo)]
    [InlineData(Hash + "L", DigestAlgorithm.Sha1, ObjectKind.MicroCatalog)]
    [InlineData(Hash + "T", DigestAlgorithm.Sha1, ObjectKind.Temporary)]
    [InlineData(Hash + "-rmd160", DigestAlgorithm.RipeMd160, ObjectKind.Plain)]
    [InlineData(Hash + "-rmd160C", DigestAlgorithm.RipeMd160, ObjectKind.Catalog)]
    [InlineData(Hash + "-shake128", DigestAlgorithm.Shake128, ObjectKind.Plain)]
    [InlineData(Hash + "-shake128P", DigestAlgorithm.Shake128, ObjectKind.Chunk)]
    public void Key_OfAText_IsReadAndWrittenBack(string text, DigestAlgorithm algorithm, ObjectKind kind)
    {
        var key = ObjectKey.Parse(text);
        Assert.Equal((algorithm, kind, text), (key.Algorithm, key.Kind, key.ToString()));
        Assert.Equal($"data/{text[..2]}/{text[2..]}", key.ToPath());
        byte[] digest = new byte[ObjectKey.DigestSizeBytes];
        key.CopyDigestTo(digest);
        Assert.Equal(Hash, Convert.ToHexStringLower(digest));
        Assert.True(key.DigestEquals(digest));
        Assert.Equal(key, new ObjectKey(digest, algorithm, kind));
        for (int i = 0; i < digest.Length; i++)
        {
            byte[] other = [.. digest];
            other[i] ^= 1;
            Assert.False(key.DigestEquals(other));
            Assert.False(key == new ObjectKey(other, algorithm, kind));
            Assert.True(key != new ObjectKey(other, algorithm, kind));
        }

        Assert.False(key.DigestEquals(digest.AsSpan(1)));
        Assert.NotEqual(key, new ObjectKey(digest, DigestAlgorithm.Named, kind));
        Assert.NotEqual(key, new ObjectKey(digest, algorithm, kind == ObjectKind.Chunk ? ObjectKind.Catalog : ObjectKind.Chunk));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcdef0123456")]
    [InlineData(Hash + "8")]
    [InlineData(Hash + "c")]
    [InlineData(Hash + "A")]
    [InlineData(Hash + "CC")]
    [InlineData("0123456789Abcdef0123456789abcdef01234567")]
    [InlineData("0123456789abcdeF0123456789abcdef01234567")]
    [InlineData("0123456789abcdef0123456789abcdef0123456g")]
    [InlineData("g123456789abcdef0123456789abcdef01234567")]
    [InlineData(Hash + "-rmd16")]
    [InlineData(Hash + "-rmd160CC")]
    [InlineData(Hash + "-shake128CC")]
    [InlineData(Hash + "-named")]
    [InlineData("é123456789abcdef0123456789abcdef01234567")]
    [InlineData(Hash + "\u0143")] // of which the low byte is a C
    public void Key_OfAnotherText_IsNone(string text)
    {
        Assert.False(ObjectKey.TryParse(text.AsSpan(), out ObjectKey key));
        Assert.Equal(default, key);
        Assert.Throws<FormatException>(() => ObjectKey.Parse(text));
        Assert.Equal(ObjectKey.MaxTextLength, (Hash + "-shake128P").Length);
    }

    [Theory]
    [InlineData(19, 0)]
    [InlineData(21, 0)]
    [InlineData(20, (int)'A')]
    public void Key_OfWhatIsNone_IsRefused(int digestBytes, int kind) =>
        Assert.Throws<ArgumentException>(() => new ObjectKey(new byte[digestBytes], DigestAlgorithm.Sha1, (ObjectKind)kind));

    [Fact]
    public void ReferenceCount_GoesWithTheLastHold()
    {
        ReferenceCount count = new();
        Assert.Equal(1, count.Holders);
        Assert.True(count.TryAcquire());
        count.Acquire();
        Assert.Equal(3, count.Holders);
        Assert.False(count.Release());
        Assert.False(count.Release());
        Assert.Equal(1, count.Holders);
        Assert.True(count.Release());
        Assert.False(count.TryAcquire());
        Assert.Equal(0, count.Holders);
    }

    [Fact]
    public void HeapCost_OfTextAndBytes_IsWhatTheHeapTakes()
    {
        Assert.Equal((0, 24, 24 + 6), (HeapCost.Of((string?)null), HeapCost.Of(""), HeapCost.Of("abc")));
        Assert.Equal((0, 24 + 3), (HeapCost.Of(default(ReadOnlyMemory<byte>)), HeapCost.Of(new byte[3])));
    }

    [Fact]
    public void Options_WithoutSettings_AreTheDocumentedOnes()
    {
        StoreOptions options = new();
        Assert.Equal((4L << 30, (long?)null, 1L << 30, 1L << 30), (
            options.MaxObjectBytes, options.QuotaBytes, options.MinFreeBytes, options.IndexMemoryBytes));
        Assert.Equal((64L << 20, 64L << 20), (StoreOptions.MinQuotaBytes, options.LeastQuotaBytes));
        Assert.Equal((16L << 20, TimeSpan.FromDays(1), TimeSpan.FromMilliseconds(200)), (
            options.ScrubBytesPerSecond, options.ScrubInterval, options.CommitInterval));
        Assert.Equal((0.3, (long)(0.3 * (1L << 30))), (options.NamedShare, options.NamedIndexMemoryBytes));
        Assert.Empty(options.Shares);
        Assert.False(options.IsNamed);
        options.ShareWithNamed(0.5);
        options.Count([new StoreShare("a.example.org", 7)]);
        Assert.Equal((0.5, 1L << 29, 1), (options.NamedShare, options.NamedIndexMemoryBytes, options.Shares.Count));
    }

    [Theory]
    [InlineData(nameof(StoreOptions.MaxObjectBytes), 1L << 20, 1L << 40)]
    [InlineData(nameof(StoreOptions.QuotaBytes), 64L << 20, 1L << 50)]
    [InlineData(nameof(StoreOptions.MinFreeBytes), 0L, 1L << 50)]
    [InlineData(nameof(StoreOptions.IndexMemoryBytes), 1L << 24, 1L << 40)]
    [InlineData(nameof(StoreOptions.ScrubBytesPerSecond), 1L << 16, 1L << 40)]
    public void Options_OfANumber_HaveTheseBounds(string name, long least, long most)
    {
        BetweenAttribute between =
            Attribute.GetCustomAttributes(typeof(StoreOptions).GetProperty(name)!).OfType<BetweenAttribute>().Single();
        Assert.Equal(((IComparable)least, (IComparable)most), between.As(typeof(long)));
        Assert.Equal("bytes", between.Unit);
    }

    [Fact]
    public async Task WakeUp_SetOften_WakesOnce()
    {
        Wakeup wakeup = new();
        wakeup.Set();
        wakeup.Set();
        await wakeup.WaitAsync(CancellationToken.None).InTimeAsync();
        Assert.False(wakeup.WaitAsync(TimeSpan.Zero, CancellationToken.None).IsFaulted);
        Task second = wakeup.WaitAsync(CancellationToken.None);
        Assert.False(second.IsCompleted);
        wakeup.Set();
        await second.InTimeAsync();
        wakeup.Dispose();
        wakeup.Set(); // nobody hears it
    }

    [Fact]
    public void Opening_ThatDoesNotEnd_GivesItsPartsBackLastFirst()
    {
        List<int> gone = [];
        using (Opening opening = new())
        {
            Part first = opening.Add(new Part(1, gone));
            Assert.NotSame(first, opening.Add(new Part(2, gone)));
        }

        Assert.Equal([2, 1], gone);
        using (Opening opening = new())
        {
            opening.Add(new Part(3, gone));
            opening.Complete();
        }

        Assert.Equal([2, 1], gone);
    }

    [Fact]
    public async Task Commit_ThatIsDone_IsToldAlsoWhileTheDiskRefuses()
    {
        using TemporaryDirectory directory = new();
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = directory.Path });
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        Assert.Equal(CommitResult.Committed, await store.WaitAsync(Task.FromResult(CommitResult.Committed), cancelled.Token));
        TaskCompletionSource<CommitResult> never = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.WaitAsync(never.Task, cancelled.Token).InTimeAsync());
    }

    [Fact]
    public void Health_OfADisk_TellsOfTheFirstFailureAndOfItsEnd()
    {
        using DiskHealth health = new(TimeProvider.System, NullLogger.Instance);
        CancellationToken before = health.Failing;
        IOException first = new("first");
        IOException second = new("second");
        health.ReportSuccess();
        Assert.False(before.IsCancellationRequested);
        health.Report(first);
        Assert.Same(first, health.WriteFailure);
        Assert.True(before.IsCancellationRequested);
        Assert.True(health.Failing.IsCancellationRequested);
        health.Report(second);
        Assert.Same(second, health.WriteFailure);
        health.ReportSuccess();
        Assert.Null(health.WriteFailure);
        CancellationToken after = health.Failing;
        Assert.False(after.IsCancellationRequested);
        Assert.True(before.IsCancellationRequested);
        health.Report(first);
        Assert.True(after.IsCancellationRequested);
    }

    private sealed class Part(int number, List<int> gone) : IDisposable
    {
        public void Dispose() => gone.Add(number);
    }
}
