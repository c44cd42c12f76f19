using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Guessing;
using Breakwater.Proxy.Tests.Boots;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>What one session opens, reads and fetches, below all that listens. It takes one step after the other.</summary>
public sealed class GuessSessionTests : IAsyncLifetime
{
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "test");

    private readonly BuiltDocuments _proxy = new();
    private readonly OverflowBudget _open = new(1 << 30);
    private readonly CancellationTokenSource _end = new();
    private readonly WrittenRepository _repository;
    private GuessLedger _ledger = null!;
    private GuessSession _session = null!;
    private Task _running = null!;

    public GuessSessionTests() => _repository = new WrittenRepository(_proxy.Upstream, "a.example.org");

    public async Task InitializeAsync()
    {
        await _proxy.OpenAsync();
        GuessLimits limits = new();
        _ledger = new GuessLedger(limits, _proxy.Get<GuessCounters>());
        _session = new GuessSession(s_route, _proxy.Get<GuessServices>(), limits, _open, _ledger);
        _running = Task.Run(() => _session.RunAsync(() => false, _end.Token));
    }

    public async Task DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAny(_running).InTimeAsync();
        _end.Dispose();
        _repository.Dispose();
        await _proxy.DisposeAsync();
    }

    /// <summary>Catalogs are guessed below one that a client asks for, also where that one was guessed and is here before.</summary>
    [Fact]
    public async Task Demand_OfACatalog_FetchesThoseBelowItAndNoneBelowThose()
    {
        ObjectKey deep = _repository.PutCatalog("/n/deep", []);
        ObjectKey nested = _repository.PutCatalog("/n", [], ("/n/deep", deep, 4096));
        ObjectKey unmeasured = _repository.PutCatalog("/u", []);
        ObjectKey root = _repository.PutCatalog("", [], ("/n", nested, 4096), ("/u", unmeasured, 0));
        await PublishAsync(root);

        _session.Demand(root);
        await OpenedAsync(root, nested); // it was read when it had come
        _session.Demand(unmeasured);
        await OpenedAsync(root, nested, unmeasured);

        Assert.Equal(0, _proxy.Upstream.RequestCount(_repository.UrlOf(deep)));
        _session.Demand(nested);
        await _proxy.Upstream.RequestsArrivedAsync(_repository.UrlOf(deep));
        GuessSums sums = _ledger.Close();
        Assert.Equal((3, 2, 1), (sums.Demanded, sums.Guessed, sums.Asked));
    }

    /// <summary>What hangs below no manifest may be of anybody.</summary>
    [Fact]
    public async Task Demand_OfACatalogOfARepositoryWithoutTags_IsOpenedOnlyBelowItsRoot()
    {
        ObjectKey below = _repository.PutCatalog("/x/below", []);
        ObjectKey strange = _repository.PutCatalog("/x", [], ("/x/below", below, 4096));
        ObjectKey nested = _repository.PutCatalog("/n", []);
        ObjectKey root = _repository.PutCatalog("", [], ("/n", nested, 0));
        await PublishAsync(root);

        _session.Demand(strange);
        _session.Demand(root);
        _session.Demand(nested);
        await OpenedAsync(root, nested);

        Assert.Equal(new GuessSums(Demanded: 3, Guessed: 0, Asked: 0, BytesInVain: 0), _ledger.Close());
        Assert.Equal(0, _proxy.Upstream.RequestCount(_repository.UrlOf(strange)));
    }

    [Fact]
    public async Task Demand_OfTheRootOfATag_IsOpenedAsThatOfTheNewest()
    {
        ObjectKey old = _repository.PutCatalog("", [_repository.PutFile("/old", "old")]);
        ObjectKey strange = _repository.PutCatalog("", [_repository.PutFile("/strange", "strange")]);
        ObjectKey root = _repository.PutCatalog("", []);
        await PublishAsync(root, _repository.PutHistory(old));

        _session.Demand(strange);
        _session.Demand(old);
        await OpenedAsync(old);

        Assert.Equal(0, _proxy.Upstream.RequestCount(_repository.UrlOf(strange)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Demand_OfAProgram_FetchesWhatItNames(bool isPlain)
    {
        WrittenRepository.Entry shell = _repository.PutFile("/lib/shell", "a shell");
        WrittenRepository.Entry program = _repository.PutFile("/bin/app", "#!/lib/shell\n", isPlain);
        ObjectKey root = _repository.PutCatalog("", [program, shell]);
        await PublishAsync(root);

        _session.Demand(root);
        _session.Demand(program.Key);
        await _proxy.Upstream.RequestsArrivedAsync(_repository.UrlOf(shell.Key));

        Assert.Equal(1, _ledger.Close().Guessed);
    }

    /// <summary>Interpreters and tools are of several MiB.</summary>
    [Fact]
    public async Task Demand_OfALongProgram_FetchesWhatItNames()
    {
        WrittenRepository.Entry shell = _repository.PutFile("/lib/shell", "a shell");
        WrittenRepository.Entry program = _repository.PutFile("/bin/app", "#!/lib/shell\n".PadRight((8 << 20) - 1, '#'), isPlain: true);
        ObjectKey root = _repository.PutCatalog("", [program, shell]);
        await PublishAsync(root);

        _session.Demand(root);
        _session.Demand(program.Key);
        await _proxy.Upstream.RequestsArrivedAsync(_repository.UrlOf(shell.Key));
    }

    /// <summary>A catalog that lies about a length, and a program longer than any is read: nothing that they name is fetched.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(9 << 20)]
    public async Task Demand_OfAProgramOfAnotherLength_FetchesNothing(int more)
    {
        WrittenRepository.Entry shell = _repository.PutFile("/lib/shell", "a shell");
        WrittenRepository.Entry program = _repository.PutFile("/bin/app", "#!/lib/shell\n");
        WrittenRepository.Entry after = _repository.PutFile("/bin/other", "#!/lib/other\n");
        WrittenRepository.Entry other = _repository.PutFile("/lib/other", "another shell");
        ObjectKey root = _repository.PutCatalog("", [program with { Bytes = program.Bytes + more }, shell, after, other]);
        await PublishAsync(root);

        _session.Demand(root);
        _session.Demand(program.Key);
        _session.Demand(after.Key);
        await _proxy.Upstream.RequestsArrivedAsync(_repository.UrlOf(other.Key));

        Assert.Equal(0, _proxy.Upstream.RequestCount(_repository.UrlOf(shell.Key)));
    }

    /// <summary>What a guess brought is read as what a client asked for: modules name modules.</summary>
    [Fact]
    public async Task Demand_OfAModule_FetchesThoseThatItsModulesName()
    {
        WrittenRepository.Entry last = _repository.PutFile("/lib/last.py", "x = 1\n");
        WrittenRepository.Entry next = _repository.PutFile("/lib/next.py", "import last\n");
        WrittenRepository.Entry first = _repository.PutFile("/lib/first.py", "import next\n");
        ObjectKey root = _repository.PutCatalog("", [first, next, last]);
        await PublishAsync(root);

        _session.Demand(root);
        _session.Demand(first.Key);
        await _proxy.Upstream.RequestsArrivedAsync(_repository.UrlOf(last.Key));

        Assert.Equal(2, _ledger.Close().Guessed);
    }

    [Fact]
    public async Task Demand_OfTwoFilesOfADirectory_FetchesTheRestOfIt()
    {
        WrittenRepository.Entry[] files = [.. Enumerable.Range(0, 3).Select(i => _repository.PutFile($"/etc/{i}", $"file {i}"))];
        ObjectKey root = _repository.PutCatalog("", files);
        await PublishAsync(root);

        _session.Demand(root);
        _session.Demand(files[0].Key);
        _session.Demand(files[1].Key);
        await _proxy.Upstream.RequestsArrivedAsync(_repository.UrlOf(files[2].Key));

        Assert.Equal(1, _ledger.Close().Guessed);
    }

    [Fact]
    public async Task Run_WhereNobodyHasSixteenOfTheGuesses_Ends()
    {
        (string, ObjectKey, long)[] absent =
            [.. Enumerable.Range(0, 16).Select(i => ($"/n{i:d2}", BootFeed.Key(i, ObjectKind.Catalog), 4096L))];
        ObjectKey root = _repository.PutCatalog("", [], absent);
        await PublishAsync(root);
        _session.Demand(root);

        int asked = 1000;
        await Waiting.UntilAsync(() =>
        {
            _session.Demand(BootFeed.Key(asked++)); // it looks at what has failed with each step
            return _running.IsCompleted;
        });

        await _running.InTimeAsync();
        Assert.Equal(16, _ledger.Close().Guessed);
    }

    private async Task PublishAsync(ObjectKey root, ObjectKey? history = null)
    {
        _repository.Publish(1, root, history);
        DocumentAnswer answer = await _proxy.Get<SignedDocuments>()
            .GetAsync(new DocumentRequest(DocumentKind.File, s_route, SignedDocuments.ManifestPath, null), default).AsTask().InTimeAsync();
        Assert.NotNull(answer.Document);
    }

    private async Task OpenedAsync(params ObjectKey[] catalogs)
    {
        long bytes = catalogs.Sum(_repository.InflatedBytesOf);
        await Waiting.UntilAsync(() => _open.Taken >= bytes);
    }
}
