using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.WorkingSets;

/// <summary>
/// The access log of a proxy without any working set names the file behind each object, from the catalogs that clients read.
/// </summary>
public sealed class ObjectNamesTests
{
    private const string Root = "/cvmfs/minios.example.org/";

    [Fact]
    public async Task AccessLog_SecondBoot_NamesTheFileOfEveryObject()
    {
        using TemporaryDirectory directory = new();
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
        stratum1.Put(Root + ".cvmfspublished", FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2"));
        string file = directory.Combine("access.json");
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["AccessLog:Path"] = file,
                ["AccessLog:Format"] = "Json",
                ["WorkingSets:Learn"] = "false",
                ["Repositories:KeysDirectory"] = Directory.CreateDirectory(directory.Combine("no-keys")).FullName,
            },
            null,
            stratum1);
        IReadOnlyList<string> boot = FixtureRepository.BootRequests(2);
        string[] named = [.. boot
            .Where(url => FixtureRepository.TryParseObjectPath(url.AsSpan()[Root.Length..], out var key)
            && key.Kind is 0 or ObjectKind.Chunk or ObjectKind.Catalog).Distinct()];
        IObjectPaths paths = proxy.Services.GetRequiredService<IObjectPaths>();

        await BootAsync(proxy, boot);
        await Waiting.UntilAsync(() =>
            named.All(url => FixtureRepository.TryParseObjectPath(url.AsSpan()[Root.Length..], out var key)
            && paths.Find(Breakwater.Repositories.Fqrn.Parse("minios.example.org"), key) is not null));
        await Waiting.UntilAsync(() => ReadLines(file).Count >= boot.Count); // else its last lines come among those of the second
        int before = ReadLines(file).Count;
        await BootAsync(proxy, boot);
        await Waiting.UntilAsync(() => ReadLines(file).Count >= before + boot.Count);

        Dictionary<string, string?> logged = [];
        foreach (string line in ReadLines(file).Skip(before))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            string url = json.RootElement.GetProperty("url").GetString()!;
            logged[url[url.IndexOf("/cvmfs/", StringComparison.Ordinal)..]] = json.RootElement.TryGetProperty("path", out JsonElement path)
                ? path.GetString()
                : null;
        }

        HashSet<string> files =
            [.. System.Text.Encoding.UTF8.GetString(FixtureRepository.ReadFixtureFile("minios/files.v2.sha256"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => "/" + line.Split("  ", 2)[1].TrimStart('.', '/'))];
        Assert.NotEmpty(named);
        Assert.All(named, url => Assert.StartsWith("/", logged[url], StringComparison.Ordinal));
        Assert.All(named.Where(url => !url.EndsWith('C')), url => Assert.Contains(logged[url]!, files));
        Assert.Equal(FixtureRepository.BootRequests(2).Distinct().Count(url => !named.Contains(url)),
            logged.Count(line => line.Value is null));

        using var client = new AdminClient(proxy.Services.GetRequiredService<BreakwaterSettings>());
        Assert.Equal(["minios.example.org"], (await client.GetAsync<ServerStatus>("status", default)).Unverified);
    }

    private static async Task BootAsync(ProxyUnderTest proxy, IEnumerable<string> urls)
    {
        using RawHttpClient vm = await proxy.ConnectAsync();
        foreach (string url in urls)
        {
            Assert.Equal(200, (await vm.GetAsync(url)).Status);
        }
    }

    private static List<string> ReadLines(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        string text = reader.ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
