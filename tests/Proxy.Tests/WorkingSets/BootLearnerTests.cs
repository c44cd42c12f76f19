using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Boots;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>Which set a boot is merged into, and what of it is kept. Objects without a name stand for files.</summary>
public sealed class BootLearnerTests : IClassFixture<MiniOsStore>
{
    private static readonly IPAddress s_one = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress s_other = IPAddress.Parse("10.0.0.2");

    private readonly MiniOsStore _store;
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines<BootLearner> _log = new();
    private readonly RepositoryRoute _route = new(MiniOs.Fqrn, "test");
    private readonly WorkingSetStore _sets;
    private readonly BootLearner _learner;
    private long _boots;

    public BootLearnerTests(MiniOsStore store)
    {
        _store = store;
        _sets = new WorkingSetStore(new HeldDocuments(), _time, NullLogger<WorkingSetStore>.Instance);
        _learner = Learner();
    }

    [Theory]
    [InlineData(8, 0, true)]
    [InlineData(9, 0, false)]
    [InlineData(9, 600, false)]
    [InlineData(9, 601, true)]
    [InlineData(9, -1, true)] // stored by a clock that was ahead
    public async Task WantsMore_OfASetThatHasSeenSoManyBoots_LooksAtOneNowAndThen(int boots, int secondsAgo, bool wantsMore)
    {
        Assert.True(_learner.WantsMore(MiniOs.Fqrn));
        await _sets.PutAsync(Set("boot-trunk", WorkingSetSource.Learned, boots, secondsAgo));

        Assert.Equal(wantsMore, _learner.WantsMore(MiniOs.Fqrn));
    }

    [Fact]
    public async Task WantsMore_OfARepositoryWithGivenSetsAlone_IsFalse()
    {
        await _sets.PutAsync(Set("given", WorkingSetSource.Given, 0, 0));

        Assert.False(_learner.WantsMore(MiniOs.Fqrn));
    }

    [Fact]
    public async Task Learn_OfABootWithoutARootCatalog_SaysNothing()
    {
        Assert.Null(await LearnAsync(new RecordedBoot(MiniOs.Fqrn, [new BootRead(BootFeed.Key(1), TimeSpan.Zero)])));
        Assert.Empty(_log.Said);

        RecordedBoot strange = new(MiniOs.Fqrn, [new BootRead(MiniOsStore.NoCatalog, TimeSpan.Zero)]);
        Assert.Null(await LearnAsync(strange));
        Assert.Contains("could not be mapped to paths", Assert.Single(_log.Said), StringComparison.Ordinal);
        Assert.Empty(_sets.All);
    }

    [Fact]
    public async Task Learn_OfABootThatGoesOn_ReplacesWhatItHadReadBefore()
    {
        RecordedBoot part = Boot(0..10);

        Assert.Equal(1, (await LearnAsync(part))!.Boots);
        WorkingSet whole = (await LearnAsync(Boot(0..15) with { Id = part.Id }))!;
        Assert.Equal((1, 16), (whole.Boots, whole.Entries.Count));
        Assert.Equal(2, (await LearnAsync(Boot(0..15)))!.Boots);

        Assert.Equal(3, (await LearnAsync(Boot(0..15) with { Id = 0 }))!.Boots);
        Assert.Equal(4, (await LearnAsync(Boot(0..15) with { Id = 0 }))!.Boots); // of which nothing is known
    }

    [Fact]
    public async Task Learn_OfMoreBootsThanAreMerged_ForgetsTheOldest()
    {
        await LearnAsync(Boot(0..20));
        for (int i = 2; i <= BootLearner.BootsMerged; i++)
        {
            Assert.Equal(i, (await LearnAsync(Boot(0..10)))!.Boots);
        }

        WorkingSet set = (await LearnAsync(Boot(0..10)))!;

        Assert.Equal(BootLearner.BootsMerged, set.Boots);
        Assert.All(set.Entries, entry => Assert.Equal(1, entry.Share));
    }

    /// <summary>Numbers of boots begin anew with the process; the set stands for one more.</summary>
    [Fact]
    public async Task Learn_AfterARestart_GoesOnWithTheSet()
    {
        await LearnAsync(Boot(0..10));
        _boots = 0;

        WorkingSet set = (await LearnAsync(Boot(0..10), Learner()))!;

        Assert.Equal(("boot-trunk", 2, _time.GetUtcNow()), (set.Name, set.Boots, set.UpdatedAt));
    }

    [Theory]
    [InlineData(15, "boot-trunk")] // half of the shorter one is also in the set
    [InlineData(16, "boot-trunk-2")]
    public async Task Learn_OfABootThatReadsOtherThings_IsAnotherSet(int from, string name)
    {
        await LearnAsync(Boot(0..20));

        Assert.Equal(name, (await LearnAsync(Boot(from..(from + 10))))!.Name);
    }

    [Fact]
    public async Task Learn_OfABootOfATag_IsNamedByTheTag()
    {
        RecordedBoot tagged = new(MiniOs.Fqrn, [new BootRead(MiniOs.Manifest(1).History!.Value, TimeSpan.Zero), .. Boot(0..10).Reads]);

        WorkingSet set = (await LearnAsync(tagged))!;

        Assert.Equal("boot-HEAD4", set.Name);
        Assert.Equal(["HEAD4", "v1"], set.Snapshots);
    }

    [Fact]
    public async Task Learn_OfAFifthKindOfBoot_TakesThePlaceOfTheLeastProvenOfAnotherClient()
    {
        for (int kind = 0; kind < 4; kind++)
        {
            Assert.NotNull(await LearnAsync(Kind(kind, s_one)));
        }

        Assert.Null(await LearnAsync(Kind(4, s_one)));
        Assert.Null(await LearnAsync(Kind(4, null)));
        WorkingSet fifth = (await LearnAsync(Kind(4, s_other)))!;

        Assert.Equal(("boot-trunk", 1), (fifth.Name, fifth.Boots));
        Assert.Equal(["boot-trunk", "boot-trunk-2", "boot-trunk-3", "boot-trunk-4"], _sets.Of(MiniOs.Fqrn).Select(set => set.Name));
        Assert.Equal("boot-trunk", (await LearnAsync(Kind(5, s_one)))!.Name); // that one client alone has shown
        Assert.Equal(2, _log.Said.Count(line => line.Contains("makes room", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Learn_OfABootThatWasCut_SaysWhichLimitToRaise()
    {
        await LearnAsync(Boot(0..10));
        Assert.DoesNotContain(_log.Said, line => line.Contains("BootWindow", StringComparison.Ordinal));

        await LearnAsync(Boot(0..10) with { IsCut = true });

        Assert.Single(_log.Said, line => line.Contains("WorkingSets:BootWindow", StringComparison.Ordinal));
    }

    /// <summary>A boot of ten files has eleven entries: its catalog is one. The set stands for the boots that are forgotten.</summary>
    [Theory]
    [InlineData(33, 3)]
    [InlineData(32, 2)]
    public async Task Learn_WithMoreEntriesThanAreKept_ForgetsTheBootsOfAnotherSet(int most, int boots)
    {
        BootLearner learner = Learner(most);
        foreach (int kind in (int[])[0, 0, 1])
        {
            await LearnAsync(Kind(kind, s_one), learner);
        }

        Assert.Equal(boots, (await LearnAsync(Kind(0, s_one), learner))!.Boots);
    }

    [Fact]
    public async Task Learn_WithMoreEntriesThanAreKept_ForgetsNoMoreThanItMust()
    {
        BootLearner learner = Learner(54);
        foreach (int kind in (int[])[0, 0, 1, 1, 2])
        {
            await LearnAsync(Kind(kind, s_one), learner);
        }

        Assert.Equal(3, (await LearnAsync(Kind(1, s_one), learner))!.Boots);
        Assert.Equal(2, (await LearnAsync(Kind(0, s_one), learner))!.Boots);
    }

    [Fact]
    public async Task Learn_WithMoreEntriesOfOneSetThanAreKept_ForgetsItsOldestBoots()
    {
        BootLearner learner = Learner(21);
        await LearnAsync(Boot(0..10), learner);

        WorkingSet set = (await LearnAsync(Boot(5..15), learner))!;

        Assert.Equal((1, 11), (set.Boots, set.Entries.Count));
        Assert.Equal(Enumerable.Range(6, 10).Select(BootFeed.Key), set.Entries.Skip(1).Select(entry => entry.Key!.Value));
        Assert.Equal(1, (await LearnAsync(Boot(5..100), learner))!.Boots); // the last one stays, however long
    }

    private BootLearner Learner(int mostEntries = 300_000) =>
        new(_sets, _store.Snapshots, new WorkingSetOptions(), _time, _log) { MaxProfileEntries = mostEntries };

    private Task<WorkingSet?> LearnAsync(RecordedBoot boot, BootLearner? learner = null)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return (learner ?? _learner).LearnAsync(_route, boot, default);
    }

    /// <summary>A boot of the kind of that number, that has nothing in common with others.</summary>
    private RecordedBoot Kind(int number, IPAddress? client) => Boot((number * 100)..((number * 100) + 10)) with { Client = client };

    private RecordedBoot Boot(Range files) => new(MiniOs.Fqrn,
    [
        new BootRead(MiniOs.Manifest(1).RootCatalog, TimeSpan.Zero),
        .. Enumerable.Range(files.Start.Value, files.End.Value - files.Start.Value)
            .Select(i => new BootRead(BootFeed.Key(i + 1), TimeSpan.FromMilliseconds(i + 1))),
    ])
    { Id = ++_boots };

    private WorkingSet Set(string name, WorkingSetSource source, int boots, int secondsAgo) => new()
    {
        Name = name,
        Repository = MiniOs.Fqrn,
        Source = source,
        Snapshots = [WorkingSet.Trunk],
        Entries = [],
        Boots = boots,
        UpdatedAt = _time.GetUtcNow().AddSeconds(-secondsAgo),
    };
}
