using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>What one site learned is published with the repository, and the first machine of another site finds it fetched.</summary>
public sealed class PublishedSetsTests : IDisposable
{
    private readonly PublishBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task FirstBoot_OfARepositoryWithPublishedSets_IsRunAheadOf()
    {
        _bench.Write("bin/init", "init");
        _bench.Write("etc/deep/rc", "rc");
        _bench.Write("never/read", "never");
        await PublishAsync(SetOf("boot-trunk", "/bin/init", "/etc/deep/rc"));
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        stratum1.ServeDirectory(PublishBench.Fqrn, _bench.Root);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _bench.KeysFolder }, _bench.Time, stratum1);

        await proxy.GetAsync($"/cvmfs/{PublishBench.Fqrn}/.cvmfspublished");
        ObjectKey root = (await _bench.CurrentAsync()).Manifest.RootCatalog;
        await proxy.GetAsync($"/cvmfs/{PublishBench.Fqrn}/{root.ToPath()}");

        ObjectKey[] read = [await ObjectAsync(root, "/bin/init"), await ObjectAsync(root, "/etc/deep/rc")];
        await Waiting.UntilAsync(() => Array.TrueForAll(read, key => proxy.Store.Contains(key)));
        Assert.False(proxy.Store.Contains(await ObjectAsync(root, "/never/read")));
        WorkingSet known = Assert.Single(proxy.Services.GetRequiredService<WorkingSetStore>().Of(Fqrn.Parse(PublishBench.Fqrn)));
        Assert.Equal(("boot-trunk", WorkingSetSource.Learned, 3), (known.Name, known.Source, known.Boots));
    }

    /// <summary>
    /// Whole directories are fetched with all that is in them: those that a publisher names count where its set reads nearly all of them,
    /// and a set that stands for endless boots would keep a site from learning of its own.
    /// </summary>
    [Fact]
    public async Task PublishedSet_ThatSaysMoreThanItReads_CountsForWhatItReads()
    {
        string[] read = [.. Enumerable.Range(0, 4).Select(i => $"bin/{i}")];
        foreach (string file in (string[])[.. read, "huge/one", "huge/two", "huge/three"])
        {
            _bench.Write(file, file);
        }

        await PublishAsync(SetOf("boot-trunk", [.. read.Select(file => "/" + file), "/huge/one"])
            with
        { WholeDirectories = ["/bin", "/huge", "", "/nowhere", "/bin"], Boots = int.MaxValue });
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        stratum1.ServeDirectory(PublishBench.Fqrn, _bench.Root);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _bench.KeysFolder }, _bench.Time, stratum1);

        await proxy.GetAsync($"/cvmfs/{PublishBench.Fqrn}/.cvmfspublished");
        ObjectKey root = (await _bench.CurrentAsync()).Manifest.RootCatalog;
        await proxy.GetAsync($"/cvmfs/{PublishBench.Fqrn}/{root.ToPath()}");

        ObjectKey one = await ObjectAsync(root, "/huge/one");
        await Waiting.UntilAsync(() => proxy.Store.Contains(one));
        WorkingSet known = Assert.Single(proxy.Services.GetRequiredService<WorkingSetStore>().Of(Fqrn.Parse(PublishBench.Fqrn)));
        Assert.Equal(["/bin"], known.WholeDirectories);
        Assert.Equal(9, known.Boots);
        Assert.False(proxy.Store.Contains(await ObjectAsync(root, "/huge/two")));
    }

    [Fact]
    public async Task Publish_OfSetsThatNoSiteWouldTake_IsRefusedBeforeAnythingIsPublished()
    {
        _bench.Write("bin/init", "init");
        foreach ((string text, string says) in (IEnumerable<(string, string)>)
        [
            (TextOf(SetOf("a", "/bin/init") with { Repository = Fqrn.Parse("other.example.org") }), "of other.example.org"),
            (TextOf(SetOf("a/b", "/bin/init")), "slash"),
            (TextOf(SetOf("a") with { Entries = [new WorkingSetEntry { Path = "/**" }] }), "patterns"),
            ("[{}]", "Set 1"),
            ("no json", "JSON"),
        ])
        {
            string file = _bench.Combine("sets.json");
            File.WriteAllText(file, text);

            TreeException refused = await Assert.ThrowsAsync<TreeException>(() =>
                _bench.PublishAsync(request => request with { WorkingSets = file }));

            Assert.Contains(says, refused.Message, StringComparison.Ordinal);
            Assert.Contains("profile export --all", refused.Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(Path.Combine(_bench.Root, ".cvmfspublished")));
    }

    private static WorkingSet SetOf(string name, params IEnumerable<string> paths) => new()
    {
        Name = name,
        Repository = Fqrn.Parse(PublishBench.Fqrn),
        Source = WorkingSetSource.Learned,
        Snapshots = [WorkingSet.Trunk],
        Entries = [.. paths.Select(path => new WorkingSetEntry { Path = path, IsLiteral = true, Share = 1 })],
        Boots = 3,
    };

    private static string TextOf(params IEnumerable<WorkingSet> sets) =>
        $"[{string.Join(',', sets.Select(set => Encoding.UTF8.GetString(WorkingSetFile.Write(set))))}]";

    private Task<PublishResult> PublishAsync(params IEnumerable<WorkingSet> sets)
    {
        string file = _bench.Combine("sets.json");
        File.WriteAllText(file, TextOf(sets));
        return _bench.PublishAsync(request => request with { WorkingSets = file });
    }

    private async Task<ObjectKey> ObjectAsync(ObjectKey root, string path)
    {
        using Catalog catalog = (await PublishedTree.OpenAsync(_bench.Root, root, default)).Value!;
        Assert.Null(catalog.Find(path, out CatalogEntry? entry));
        return entry!.Object!.Value;
    }
}
