using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Quotas;

/// <summary>What each party has in the store, and who gives way when room is short.</summary>
public sealed class SharesTests : IDisposable
{
    private const long Quota = StoreOptions.MinQuotaBytes;
    private const int SmallBytes = 100_000;

    private static readonly StoreShare s_greedy = new("*.greedy.example.org", 8 << 20);
    private static readonly StoreShare s_modest = new("modest.example.org", null);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>The limit seen from both sides: without it the same stream pushes out what came once before it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_OfAParty_PushesOutOthersOnlyWithoutAQuota(bool hasQuota)
    {
        StoreShare greedy = s_greedy with { QuotaBytes = hasQuota ? s_greedy.QuotaBytes : null };
        await using FasterObjectStore store = await OpenAsync(greedy, s_modest);
        (ObjectKey Key, byte[] Bytes)[] others = await WriteManyAsync(store, 0, 80, s_modest.Mark);
        (ObjectKey Key, byte[] Bytes)[] stream = await WriteManyAsync(store, 1000, 640, s_greedy.Mark);

        int there = others.Count(one => store.Contains(one.Key));
        Assert.InRange(there, hasQuota ? others.Length : 0, hasQuota ? others.Length : others.Length / 4);
        Assert.All(stream.TakeLast(50), one => Assert.True(store.Contains(one.Key)));
        foreach ((ObjectKey key, byte[] bytes) in others.Concat(stream.Where((_, i) => i % 8 == 0)).Where(one => store.Contains(one.Key)))
        {
            Assert.Equal(bytes, await store.ReadAsync(key));
        }

        Assert.Equal(stream.Count(one => store.Contains(one.Key)) * (long)SmallBytes, BytesOf(store, s_greedy));
        Assert.Equal(there * (long)SmallBytes, BytesOf(store, s_modest));
    }

    /// <summary>Nobody else wants the room: it is used, whatever the quota. Then others need it, and get it.</summary>
    [Fact]
    public async Task PartyBeyondItsQuota_KeepsRoomThatNobodyWantsAndGivesItToOthers()
    {
        await using FasterObjectStore store = await OpenAsync(s_greedy, s_modest);
        (ObjectKey Key, byte[] Bytes)[] greedy = await WriteManyAsync(store, 0, 300, s_greedy.Mark);
        Assert.All(greedy, one => Assert.True(store.Contains(one.Key)));
        Assert.Equal(30_000_000, BytesOf(store, s_greedy));
        await AskAsync(store, greedy); // hot ones, too

        (ObjectKey Key, byte[] Bytes)[] others = await WriteManyAsync(store, 1000, 350, s_modest.Mark);

        Assert.All(others, one => Assert.True(store.Contains(one.Key)));
        Assert.InRange(BytesOf(store, s_greedy), 1, 20 << 20);
    }

    /// <summary>Within its quota a party is as good as everybody: what was asked for again stays.</summary>
    [Fact]
    public async Task PartyWithinItsQuota_KeepsWhatIsAskedFor()
    {
        await using FasterObjectStore store = await OpenAsync(s_greedy, s_modest);
        (ObjectKey Key, byte[] Bytes)[] hot = await WriteManyAsync(store, 0, 60, s_greedy.Mark);
        await AskAsync(store, hot);

        await WriteManyAsync(store, 1000, 640, s_modest.Mark);

        Assert.All(hot, one => Assert.True(store.Contains(one.Key)));
    }

    /// <summary>What is pinned cannot give way; the store makes room all the same, by its ordinary rules.</summary>
    [Fact]
    public async Task PartyBeyondItsQuotaByPins_StaysAndTheStoreGoesOn()
    {
        await using FasterObjectStore store = await OpenAsync(s_greedy, s_modest);
        (ObjectKey Key, byte[] Bytes)[] pinned = await WriteManyAsync(store, 0, 100, s_greedy.Mark);
        Assert.Equal(PinResult.Pinned, store.Pins.Put("all", [.. pinned.Select(one => one.Key)]));

        (ObjectKey Key, byte[] Bytes)[] others = await WriteManyAsync(store, 1000, 640, s_modest.Mark);

        Assert.All(pinned, one => Assert.True(store.Contains(one.Key)));
        Assert.All(others.TakeLast(50), one => Assert.True(store.Contains(one.Key)));
        Assert.Equal(10_000_000, BytesOf(store, s_greedy));
    }

    /// <summary>What came while nobody was counted is nobody's, also when somebody is counted later.</summary>
    [Fact]
    public void Number_WhileNobodyIsCounted_IsNobodys()
    {
        StoreShares shares = new();
        shares.Count(shares.NumberOf(s_greedy.Mark), 1000, isFresh: true);
        shares.Replace([s_greedy]);

        Assert.Equal(0, Assert.Single(shares.List()).Bytes);
    }

    /// <summary>As many as can be counted: what each is beyond its quota counts, the last one's too.</summary>
    [Fact]
    public void FreshExcess_OfAsManyPartiesAsThereMayBe_IsThatOfAllOfThem()
    {
        StoreShare[] all = [.. Enumerable.Range(0, StoreShares.Most).Select(i => new StoreShare($"{i}.example.org", 1000))];
        StoreShares shares = new();
        shares.Replace(all);
        foreach (StoreShare share in all)
        {
            shares.Count(shares.NumberOf(share.Mark), 1500, isFresh: true);
        }

        Assert.Equal(StoreShares.Most * 500, shares.FreshExcess);
    }

    /// <summary>
    /// Stored, stored again by somebody else, removed, moved and evicted, in entries of every kind: the count is that of what is there,
    /// also after a restart with tables and without.
    /// </summary>
    [Fact]
    public async Task Count_OfWhateverHappened_IsThatOfWhatIsThere()
    {
        Random random = new(11);
        StoreShare[] parties = [s_greedy, s_modest, new StoreShare("third.example.org", 1 << 20)];
        Dictionary<ObjectKey, (StoreShare? Owner, long Length)> stored = [];
        await using (FasterObjectStore store = await OpenAsync(parties))
        {
            for (int i = 0; i < 700; i++)
            {
                int seed = random.Next(400);
                byte[] bytes = TestObjects.Bytes(seed, seed % 5 == 0 ? 300_000 + (seed * 1000) : 20_000 + (seed * 100));
                ObjectKey key = TestObjects.KeyOf(bytes);
                StoreShare? party = random.Next(4) is var number and < 3 ? parties[number] : null;
                if (random.Next(8) == 0)
                {
                    store.Remove(key);
                }
                else if (await store.WriteAsync(key, bytes, mark: party?.Mark ?? 0) == CommitResult.Committed)
                {
                    stored[key] = (party, bytes.Length);
                }

                if (random.Next(3) == 0)
                {
                    Assert.NotEqual(0, (await store.ReadAsync(key))?.Length);
                }
            }

            await store.EvictToAsync(24 << 20);
            AssertCounted(store);
            foreach (StoreShare party in parties)
            {
                Assert.Equal(store.List().Where(one => stored[one.Key].Owner == party).Sum(one => stored[one.Key].Length),
                    BytesOf(store, party));
            }
        }

        foreach (bool hasTables in (bool[])[true, false])
        {
            if (!hasTables)
            {
                foreach (string table in Directory.GetFiles(Path.Combine(_directory.Path, "objects"), "*.tab"))
                {
                    File.Delete(table);
                }
            }

            await using FasterObjectStore store = await OpenAsync(parties);
            AssertCounted(store);
        }

        void AssertCounted(FasterObjectStore store)
        {
            StoredObjectInfo[] there = [.. store.List()];
            Assert.NotEmpty(there);
            foreach (StoreShare party in parties)
            {
                // an object that was removed may be back after a restart, with the mark of that time
                int number = store.Shares.NumberOf(party.Mark);
                Assert.Equal(there.Where(one => store.Table.TryGet(one.Key, out IndexEntry entry) && entry.Owner == number)
                    .Sum(one => stored[one.Key].Length), BytesOf(store, party));
            }
        }
    }

    [Fact]
    public async Task Replace_WhileItRuns_IsInForceAndForgetsNobodysBytes()
    {
        await using FasterObjectStore store = await OpenAsync(s_modest);
        await WriteManyAsync(store, 0, 10, s_modest.Mark);
        await WriteManyAsync(store, 100, 10, s_greedy.Mark); // nobody counts it yet

        store.Shares.Replace([s_greedy, s_modest with { QuotaBytes = 5 }]);
        await WriteManyAsync(store, 200, 10, s_greedy.Mark);
        Assert.Equal(
            [new ShareUse(s_greedy.Name, 1_000_000, s_greedy.QuotaBytes), new ShareUse(s_modest.Name, 1_000_000, 5)], store.Shares.List());

        // Who is taken out keeps a number while it has objects; who comes back is who it was.
        store.Shares.Replace([.. Enumerable.Range(0, 60).Select(i => new StoreShare($"r{i}.example.org", null))]);
        Assert.Equal(StoreShares.Most, store.Shares.List().Count);
        Assert.Contains(new ShareUse(s_greedy.Name, 1_000_000, null), store.Shares.List());
        store.Shares.Replace([s_greedy]);
        Assert.Equal(
            [new ShareUse(s_greedy.Name, 1_000_000, s_greedy.QuotaBytes), new ShareUse(s_modest.Name, 1_000_000, null)],
            store.Shares.List());
        await store.DisposeAsync();

        await using FasterObjectStore again = await OpenAsync(s_greedy);
        Assert.Equal([new ShareUse(s_greedy.Name, 2_000_000, s_greedy.QuotaBytes)], again.Shares.List());
    }

    private Task<FasterObjectStore> OpenAsync(params StoreShare[] shares)
    {
        StoreOptions options = new() { Path = _directory.Path, QuotaBytes = Quota, CommitInterval = TimeSpan.FromMilliseconds(1) };
        options.Count(shares);
        return FasterObjectStore.OpenAsync(options);
    }

    /// <summary>In the order of their numbers, and slowly enough for the cleaner: no writer ever waits for room.</summary>
    private static async Task<(ObjectKey Key, byte[] Bytes)[]> WriteManyAsync(FasterObjectStore store, int first, int count, ushort mark)
    {
        List<(ObjectKey, byte[])> written = [];
        for (int i = first; i < first + count; i += 10)
        {
            (ObjectKey Key, byte[] Bytes)[] batch = [.. Enumerable.Range(i, 10).Select(seed => TestObjects.Bytes(seed, SmallBytes))
                .Select(bytes => (TestObjects.KeyOf(bytes), bytes))];
            CommitResult[] results = await Task.WhenAll(batch.Select(one => store.WriteAsync(one.Key, one.Bytes, mark: mark)));
            Assert.All(results, result => Assert.Equal(CommitResult.Committed, result));
            await Waiting.UntilAsync(() => !store.Space.IsEvictionDue);
            written.AddRange(batch);
        }

        return [.. written];
    }

    private static async Task AskAsync(FasterObjectStore store, (ObjectKey Key, byte[] Bytes)[] objects)
    {
        foreach ((ObjectKey key, byte[] bytes) in objects)
        {
            Assert.Equal(bytes, await store.ReadAsync(key));
        }
    }

    private static long BytesOf(FasterObjectStore store, StoreShare share) =>
        store.Shares.List().Single(use => use.Name == share.Name).Bytes;
}
