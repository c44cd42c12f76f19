using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.FunctionalTests.CommandLine;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Store;

/// <summary><c>store ls --repository</c>, asked of a running proxy and of a store that nobody has open.</summary>
public sealed class StoreListTests(RunningBreakwater breakwater) : IClassFixture<RunningBreakwater>
{
    [Fact]
    public async Task List_OfARepository_NamesItsObjectsAndNoOther()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        SyntheticObject foreign = new SyntheticObject(1000).On(breakwater.Stratum1);
        ObjectKey[] reached = [.. tiny.Objects.Keys.Where(static key => key.Kind is not (ObjectKind.MicroCatalog or ObjectKind.Temporary))
            .GroupBy(static key => key.Kind).SelectMany(static kind => kind.Where((_, i) => kind.Key != ObjectKind.Chunk || i % 2 == 0))];
        using (RawHttpClient client = await RawHttpClient.ConnectAsync(breakwater.EndPoint))
        {
            foreach (string url
                in tiny.Documents.Select(file => tiny.UrlPath(file.Key)).Concat(reached.Select(key => tiny.UrlPath(key)))
                .Append(foreign.Path))
            {
                Assert.True((await client.GetAsync("http://s1.example.org" + url)).Status is 200 or 404, url);
            }
        }

        HashSet<string> everything = await ListAsync();
        for (int i = 0; i < 100 && !everything.Contains(foreign.Key.ToString()); i++) // the last one is there with the next commit
        {
            everything = await ListAsync();
        }

        HashSet<string> online = await ListAsync("--repository", tiny.Fqrn);
        HashSet<string> unknown = await ListAsync("--repository", "unknown.example.org");
        await breakwater.StopAsync();
        HashSet<string> offline = await ListAsync("--repository", tiny.Fqrn);

        Assert.Contains(foreign.Key.ToString(), everything);
        Assert.DoesNotContain(foreign.Key.ToString(), online);
        Assert.Empty(unknown);
        Assert.Contains(online, static key => key.EndsWith('C'));
        Assert.Contains(online, static key => key.EndsWith('P'));
        Assert.Equal(online.Order(), offline.Order());
        // the fixture also has catalogs that no revision has any more
        Assert.Subset(everything.Intersect(reached.Select(static key => key.ToString())).ToHashSet(), online);
        Assert.Superset(FilesOf(tiny, static _ => true), FilesOf(tiny, key => online.Contains(key.ToString())));
    }

    /// <summary>Digests of the newest revision's files that are one object each, of those keys.</summary>
    private static HashSet<string> FilesOf(FixtureRepository repository, Func<ObjectKey, bool> isListed)
    {
        HashSet<string> files =
            [.. System.Text.Encoding.UTF8.GetString(FixtureRepository.ReadFixtureFile(repository.Fqrn + ".files.sha256"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line[..64])];
        files.IntersectWith(repository.Objects.Where(item => item.Key.Kind == 0 && isListed(item.Key))
            .Select(static item => Digest(item.Value)));
        Assert.NotEmpty(files);
        return files;
    }

    private static string Digest(byte[] wire)
    {
        using ZLibStream plain = new(new MemoryStream(wire), CompressionMode.Decompress);
        return Convert.ToHexStringLower(SHA256.HashData(plain));
    }

    private async Task<HashSet<string>> ListAsync(params string[] options)
    {
        CommandResult result = await BreakwaterCommand.RunAsync(breakwater.Settings, ["store", "ls", "--json", .. options]);
        Assert.True(result.ExitCode == 0, result.Error);
        string[] keys = [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("key").GetString()!)];
        Assert.Distinct(keys);
        return [.. keys];
    }
}
