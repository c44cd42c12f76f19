using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Proxy.FunctionalTests.TestSupport;
using Breakwater.Proxy.Observability;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>A directory becomes a repository, and what clients read of it is the directory.</summary>
public sealed class PublisherTests : IDisposable
{
    private const string OddTree = """
        mkdir -p bin odd usr/lib usr/share/deep empty/below big
        echo hello > hello.txt; : > nothing; printf '#!x\n' > bin/sh; chmod 4755 bin/sh
        printf odd > $'odd/\xff\xfe name\n\t'; echo x > odd/café; echo q > "odd/quote'\""; echo n > odd/$(printf 'n%.0s' {1..255})
        : > .cvmfscatalog; : > usr/.cvmfscatalog; : > usr/share/deep/.cvmfscatalog; echo d > usr/share/deep/f; echo a > usr/lib/a.so
        head -c 6000000 /dev/urandom > big/random; head -c 17000000 /dev/zero > big/zeros; truncate -s 3M sparse
        ln hello.txt hello2.txt; ln hello.txt bin/hello3; ln -s hello.txt link; ln -s $'\xff/odd' oddlink; ln -s '$(VAR)/x' varlink
        ln -P link linkhard; mkfifo fifo; touch -d '1969-12-31 23:59:58.5 UTC' nothing; chmod 1777 usr
        [ $(id -u) != 0 ] || { mknod -m 666 null c 1 3; chown 12345:4294967294 odd; }
        """;

    private readonly PublishBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Publish_EveryKindOfFile_IsReadBackIdentical()
    {
        await _bench.ShellAsync(OddTree);
        PublishResult result = await _bench.PublishAsync();
        await _bench.AssertWholeAsync();
        SortedDictionary<string, string> tree = await PublishedTree.OfDirectoryAsync(_bench.Tree);
        tree.Remove("/.cvmfscatalog"); // in the root it is left out, and said to be
        SortedDictionary<string, string> read =
            await PublishedTree.OfRepositoryAsync(_bench.Root, result.Manifest.RootCatalog, _bench.Tree);
        Assert.Equal(string.Join('\n', tree), string.Join('\n', read));
        Assert.Contains(result.Notes, note => note.Contains(".cvmfscatalog", StringComparison.Ordinal));
        Assert.Contains(result.Notes, note => note.Contains("several directories", StringComparison.Ordinal));

        using Catalog root = (await PublishedTree.OpenAsync(_bench.Root, result.Manifest.RootCatalog, default)).Value!;
        Assert.Equal(["/usr"], root.Nested.Select(nested => nested.Path));
        string[] linked = ["/hello.txt", "/hello2.txt", "/link", "/linkhard"];
        CatalogAttributes[] links = [.. linked.Select(path => Attributes(root, path))];
        Assert.All(links, link => Assert.Equal(2u, link.LinkCount));
        Assert.Equal((links[0].LinkGroup, links[2].LinkGroup), (links[1].LinkGroup, links[3].LinkGroup));
        Assert.NotEqual(links[0].LinkGroup, links[2].LinkGroup);
        Assert.Equal((0u, 1u), (Attributes(root, "/bin/hello3").LinkGroup, Attributes(root, "/bin/hello3").LinkCount));
        Assert.Null(root.Find("/big/zeros", out CatalogEntry? zeros));
        List<CatalogChunk> chunks = [];
        Assert.Null(root.ReadChunks(zeros!, chunks));
        Assert.Equal([16L << 20, 17_000_000 - (16L << 20)], chunks.Select(chunk => chunk.SizeBytes));
        Assert.Null(root.Find("/nothing", out CatalogEntry? nothing));
        Assert.Equal(ObjectKey.Parse("e8ec3d88b62ebf526e4e5a4ff6162a3aa48a6b78"), nothing!.Object);
    }

    [Fact]
    public async Task Publish_Again_ReadsOnlyWhatChanged()
    {
        for (int i = 0; i < 20; i++)
        {
            _bench.Write(string.Create(CultureInfo.InvariantCulture, $"d/f{i}"), "text " + i);
        }

        _bench.Write("n/.cvmfscatalog", "");
        Assert.Equal(21, (await _bench.PublishAsync()).FilesRead);
        PublishResult same = await _bench.PublishAsync();
        Assert.Equal((false, 0L, 1UL), (same.IsNew, same.FilesRead, same.Manifest.Revision));
        ObjectKey nested = await NestedAsync(same.Manifest);

        _bench.Write("d/f3", "text 33");
        PublishResult changed = await _bench.PublishAsync();
        Assert.Equal((true, 1L, 2UL), (changed.IsNew, changed.FilesRead, changed.Manifest.Revision));
        Assert.Equal(nested, await NestedAsync(changed.Manifest));

        await _bench.ShellAsync("chmod 700 d");
        Assert.Equal((true, 3UL), (await _bench.PublishAsync()) is { FilesRead: 0 } mode ? (mode.IsNew, mode.Manifest.Revision) : default);

        PublishResult verified = await _bench.PublishAsync(request => request with { IsVerifying = true });
        Assert.Equal((false, 21L), (verified.IsNew, verified.FilesRead));
        await _bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Publish_AnObjectIsDamaged_VerifyWritesItAnew()
    {
        _bench.Write("f", "some text");
        PublishResult first = await _bench.PublishAsync();
        foreach (string file in System.IO.Directory.EnumerateFiles(Path.Combine(_bench.Root, "data"), "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file).Length == 38)
            {
                await File.WriteAllBytesAsync(file, [1, 2, 3]);
            }
        }

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(_bench.AssertWholeAsync);
        await _bench.PublishAsync(request => request with { IsVerifying = true });
        await _bench.AssertWholeAsync();
        Assert.Equal(first.Manifest.Revision, (await _bench.CurrentAsync()).Manifest.Revision);
    }

    [Fact]
    public async Task Publish_ManyEntries_AreDividedAndStaySo()
    {
        await _bench.ShellAsync("for d in a b c; do mkdir -p $d/e; (cd $d; for i in {1..1200}; do echo $((i % 9)) > f$i; done); done");
        PublishResult first = await _bench.PublishAsync(request => request with { MaxCatalogEntries = 1500 });
        using Catalog root = (await PublishedTree.OpenAsync(_bench.Root, first.Manifest.RootCatalog, default)).Value!;
        Assert.Equal(["/a", "/b"], root.Nested.Select(nested => nested.Path).Order(StringComparer.Ordinal));
        SortedDictionary<string, string> tree = await PublishedTree.OfDirectoryAsync(_bench.Tree);
        SortedDictionary<string, string> read = await PublishedTree.OfRepositoryAsync(
            _bench.Root, first.Manifest.RootCatalog, await WithMarkersAsync());
        Assert.Equal(["/a/.cvmfscatalog", "/b/.cvmfscatalog"], read.Keys.Except(tree.Keys));
        Assert.All(tree, line => Assert.Equal(line.Value, read[line.Key]));

        await _bench.ShellAsync("rm a/f{1..500} a/.cvmfscatalog b/.cvmfscatalog");
        PublishResult second = await _bench.PublishAsync(request => request with { MaxCatalogEntries = 1500 });
        using Catalog after = (await PublishedTree.OpenAsync(_bench.Root, second.Manifest.RootCatalog, default)).Value!;
        Assert.Equal(["/a", "/b"], after.Nested.Select(nested => nested.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Tags_MovedRolledBackAndCollected_NameWhatTheySay()
    {
        _bench.Write("f", "one");
        ObjectKey one = (await _bench.PublishAsync(request => request with { Tag = "v1", Moves = ["HEAD"] })).Manifest.RootCatalog;
        await Assert.ThrowsAsync<PublishException>(() => _bench.PublishAsync(request => request with { Tag = "v1" }));
        _bench.Write("f", "two!");
        ObjectKey two = (await _bench.PublishAsync(request => request with { Tag = "v2", Moves = ["HEAD"] })).Manifest.RootCatalog;
        _bench.Write("f", "three");
        ObjectKey three = (await _bench.PublishAsync()).Manifest.RootCatalog;
        Assert.Equal(
            ["HEAD " + two, "trunk " + three, "trunk-previous " + two, "v1 " + one, "v2 " + two],
            (await _bench.CurrentAsync()).Tags.Select(tag => $"{tag.Name} {tag.RootCatalog}").Order(StringComparer.Ordinal));

        using (RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn))
        {
            CurrentRepository current = (await CurrentRepository.LoadAsync(folder, default))!;
            Rollback.Run(folder, _bench.Keys, TimeSpan.FromDays(9), current, current.Resolve("v1"), _bench.Time.GetUtcNow());
        }

        CurrentRepository back = await _bench.CurrentAsync();
        Assert.Equal(4UL, back.Manifest.Revision);
        using (Catalog root = (await PublishedTree.OpenAsync(_bench.Root, back.Manifest.RootCatalog, default)).Value!)
        {
            Assert.Equal(4UL, root.Revision);
            Assert.Null(root.Find("/f", out CatalogEntry? entry));
            Assert.Equal(3, entry!.SizeBytes);
        }

        // The tree still holds three: it is published again, and the objects of the rolled-back state are garbage once no tag has them.
        PublishResult again = await _bench.PublishAsync();
        Assert.Equal((true, 5UL), (again.IsNew, again.Manifest.Revision));
        _bench.Write("f", "fourth");
        await _bench.PublishAsync();
        using (RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn))
        {
            CurrentRepository current = (await CurrentRepository.LoadAsync(folder, default))!;
            (long objects, _) = await Garbage.CollectAsync(
                folder, _bench.Keys, TimeSpan.FromDays(9), current, _bench.Time.GetUtcNow(), default);
            Assert.InRange(objects, 2, 8); // root catalogs 3 and 4, histories
            Assert.False(folder.Objects.Contains(three));
            Assert.True(folder.Objects.Contains(one));
        }

        await _bench.AssertWholeAsync();
        Assert.False((await _bench.PublishAsync()).IsNew);
    }

    [Fact]
    public async Task Publish_KilledBetweenReflogAndManifest_TheNextOneMendsIt()
    {
        _bench.Write("f", "one");
        await _bench.PublishAsync();
        await File.AppendAllTextAsync(Path.Combine(_bench.Root, ".cvmfsreflog"), "x");
        Assert.True((await _bench.PublishAsync()).IsNew);
        await _bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Publish_ClockWentBack_TimeAndRevisionDoNot()
    {
        _bench.Write("f", "one");
        Manifest first = (await _bench.PublishAsync()).Manifest;
        _bench.Write("f", "two!");
        Manifest second = (await new Publisher(_bench.Request, TimeProvider.System).RunAsync(default)).Manifest;
        Assert.True(second.PublishedAt >= first.PublishedAt && second.Revision == first.Revision + 1);
    }

    [Fact]
    public async Task Publish_WithoutAGoodWhitelist_IsRefusedAndSaysWhatToDo()
    {
        _bench.Write("f", "one");
        await _bench.PublishAsync();
        File.Delete(_bench.Keys.MasterPath);
        _bench.Write("f", "two!");
        Assert.True((await _bench.PublishAsync()).IsNew);
        _bench.Time.Advance(TimeSpan.FromDays(200));
        _bench.Write("f", "three");
        PublishException refused = await Assert.ThrowsAsync<PublishException>(() => _bench.PublishAsync());
        Assert.Contains("publish whitelist", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2UL, (await _bench.CurrentAsync()).Manifest.Revision);
    }

    [Fact]
    public async Task Publish_IntoItself_IsRefused()
    {
        PublishRequest inside = _bench.Request with { Output = Path.Combine(_bench.Tree, "out") };
        await Assert.ThrowsAsync<PublishException>(() => new Publisher(inside, _bench.Time).RunAsync(default));
        PublishRequest missing = _bench.Request with { Directory = _bench.Combine("missing") };
        await Assert.ThrowsAsync<TreeException>(() => new Publisher(missing, _bench.Time).RunAsync(default));
    }

    [Fact]
    public async Task Publish_BootFiles_AreTheListOfTheRepository()
    {
        _bench.Write("bin/sh", "x");
        await File.WriteAllTextAsync(_bench.Combine("list"), "/bin/sh\n/bin/none\n");
        PublishResult result = await _bench.PublishAsync(WithList);
        Assert.Contains(result.Notes, note => note.Contains("/bin/none", StringComparison.Ordinal));
        using Catalog root = (await PublishedTree.OpenAsync(_bench.Root, result.Manifest.RootCatalog, default)).Value!;
        Assert.Null(root.Find("/.ucernvm_pinfiles", out CatalogEntry? entry));
        Assert.Equal(18, entry!.SizeBytes);
        Assert.False((await _bench.PublishAsync(WithList)).IsNew);

        PublishRequest WithList(PublishRequest request) => request with { BootFiles = _bench.Combine("list") };
    }

    [Fact]
    public async Task Published_ServedByAWebServer_IsVerifiedByTheProxyInFront()
    {
        _bench.Write("f", "text");
        PublishResult result = await _bench.PublishAsync();
        await using ScriptedUpstream server = ScriptedUpstream.Start();
        foreach (string file in System.IO.Directory.EnumerateFiles(_bench.Root, "*", SearchOption.AllDirectories))
        {
            server.Put($"/cvmfs/{PublishBench.Fqrn}/{Path.GetRelativePath(_bench.Root, file)}", await File.ReadAllBytesAsync(file));
        }

        var settings = new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _bench.KeysFolder };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(settings, null, server);
        using var refused = new CounterSum(proxy.Services.GetRequiredService<ProxyCounters>().RefusedDocuments);
        string root = $"http://s1/cvmfs/{PublishBench.Fqrn}/";
        RawResponse manifest = await proxy.GetAsync(root + ".cvmfspublished");
        Assert.Equal(200, manifest.Status);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(_bench.Root, ".cvmfspublished")), manifest.Body);
        RawResponse catalog = await proxy.GetAsync(root + result.Manifest.RootCatalog.ToPath());
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(_bench.Root, result.Manifest.RootCatalog.ToPath())), catalog.Body);
        Assert.Equal(0, refused.Value);
    }

    private async Task<string> WithMarkersAsync()
    {
        await _bench.ShellAsync(": > a/.cvmfscatalog; : > b/.cvmfscatalog");
        return _bench.Tree;
    }

    private async Task<ObjectKey> NestedAsync(Manifest manifest)
    {
        using Catalog root = (await PublishedTree.OpenAsync(_bench.Root, manifest.RootCatalog, default)).Value!;
        return Assert.Single(root.Nested).Catalog;
    }

    private static CatalogAttributes Attributes(Catalog catalog, string path)
    {
        Assert.Null(catalog.ReadAttributes(PathKey.Of(path), out CatalogAttributes? attributes));
        return attributes!;
    }
}
