using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>A changed settings file, the proxy running, a client in the middle of its connection.</summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly LogLines _log = new();
    private readonly SyntheticObject _item = new(5_000);
    private LiveSettings _live = null!;
    private FasterObjectStore _store = null!;
    private WebApplication _app = null!;
    private RawHttpClient _client = null!;

    private string SettingsPath => _directory.Combine("appsettings.json");

    public async Task InitializeAsync()
    {
        _item.On(_upstream);
        Write([]);
        _live = new LiveSettings(SettingsFile.LoadSources(new FileInfo(SettingsPath)), _log);
        _store = await FasterObjectStore.OpenAsync(_live.Settings.Store);
        _app = ProxyServer.Build(_live.Configuration, _live.Settings, _store);
        await _app.StartAsync();
        string address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _client = await RawHttpClient.ConnectAsync(IPEndPoint.Parse(new Uri(address).Authority));
        Assert.Equal(200, await StatusAsync());
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
        _live.Dispose();
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Repository_TakenOutAndPutBack_IsInForceOnAnOpenConnection()
    {
        Change(new() { ["Repositories:synthetic.example.org:Cluster"] = null, ["Repositories:other.example.org:Cluster"] = "test" });
        Assert.Equal(403, await StatusAsync());

        Change([]);
        Assert.Equal(200, await StatusAsync());
    }

    [Fact]
    public async Task File_Replaced_IsInForceWithoutASignal()
    {
        Write(new() { ["Repositories:synthetic.example.org:Cluster"] = null, ["Repositories:other.example.org:Cluster"] = "test" });
        _live.Look();
        _live.Look(); // it has stood still

        Assert.Equal(403, await StatusAsync());
    }

    [Fact]
    public async Task File_MadeUnreadableOrTakenAway_TheOldSettingsStayInForce()
    {
        File.Delete(SettingsPath);
        Directory.CreateDirectory(SettingsPath);
        _live.ReadAgain();
        Assert.Equal(200, await StatusAsync());

        Directory.Delete(SettingsPath);
        _live.ReadAgain();
        Assert.Equal(200, await StatusAsync());
    }

    [Fact]
    public async Task Password_SetAndTakenAway_IsInForceOnAnOpenConnection()
    {
        Change(new() { ["Access:Users:alice"] = "secret" });
        Assert.Equal(407, await StatusAsync());

        Change([]);
        Assert.Equal(200, await StatusAsync());
    }

    [Fact]
    public async Task Clients_WithoutThisOne_ItsNextRequestIsRefused()
    {
        Change(new() { ["Access:Clients:0"] = "10.0.0.0/8" });

        Assert.Equal(403, await StatusAsync());
    }

    [Fact]
    public async Task ProxyProtocol_TakenInAndOut_IsInForceForNewConnections()
    {
        Change(new() { ["Proxy:ProxyProtocol:0"] = "127.0.0.1/32" });
        Assert.Equal((200, 400), await OldAndNewAsync(_item.Url));
        Assert.Empty(_live.State.Pending);

        Change([]);
        Assert.Equal((200, 200), await OldAndNewAsync(_item.Url));
    }

    [Fact]
    public async Task Destination_TakenInAndOut_IsInForceOnOldAndNewConnections()
    {
        await using ScriptedUpstream site = ScriptedUpstream.Start();
        site.Put("/page", _item.Bytes);
        site.Script("/page", new UpstreamBehaviour { CacheControl = "no-store" });
        string url = site.Address + "page";
        Assert.Equal((403, 403), await OldAndNewAsync(url));

        Change(new() { ["Access:Destinations:0"] = site.EndPoint.ToString(), ["Access:AllowedUpstreams:0"] = "127.0.0.1/32" });
        Assert.Equal((200, 200), await OldAndNewAsync(url));

        Change(new() { ["Access:AllowedUpstreams:0"] = "127.0.0.1/32" });
        Assert.Equal((403, 403), await OldAndNewAsync(url));
        Assert.Equal(2, site.Requests.Count);
    }

    [Fact]
    public async Task AllowedUpstreams_TakenInAndOut_AreInForceOnOldAndNewConnectionsOnBothSides()
    {
        await using ScriptedUpstream site = ScriptedUpstream.Start();
        site.Put("/page", _item.Bytes);
        site.Script("/page", new UpstreamBehaviour { CacheControl = "no-store" });
        string url = site.Address + "page";
        Change(new() { ["Access:Destinations:0"] = site.EndPoint.ToString() });
        Assert.Equal((502, 502), await OldAndNewAsync(url));

        Change(new() { ["Access:Destinations:0"] = site.EndPoint.ToString(), ["Access:AllowedUpstreams:0"] = "127.0.0.1/32" });
        Assert.Equal((200, 200), await OldAndNewAsync(url));

        // The connection to the site that these left open is not used any more either.
        Change(new() { ["Access:Destinations:0"] = site.EndPoint.ToString() });
        Assert.Equal((502, 502), await OldAndNewAsync(url));
        Assert.Equal(2, site.Requests.Count);
    }

    /// <summary>What failed under the settings before is asked for anew, though a failure is else remembered for five seconds.</summary>
    [Theory]
    [InlineData(".cvmfspublished")]
    [InlineData(".cvmfsreflog")]
    public async Task Stratum1_ThatIsPutRight_IsAskedAtOnceForADocumentThatFailed(string document)
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        _upstream.Serve(tiny);
        Dictionary<string, string?> right = new() { [$"Repositories:{tiny.Fqrn}:Cluster"] = "test" };
        Change(new(right) { ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:1/" });
        string url = "http://any.host" + tiny.UrlPath(document);
        Assert.Equal((502, 502), await OldAndNewAsync(url));

        Change(right);

        Assert.Equal((200, 200), await OldAndNewAsync(url));
    }

    [Fact]
    public async Task Connect_TakenInAndOut_IsInForceOnOldAndNewConnections()
    {
        using RawHttpClient old = await ConnectAsync();
        Assert.Equal(200, (await old.GetAsync(_item.Url)).Status);
        Assert.Equal(405, await ConnectStatusAsync());

        Change(new() { ["Access:Connect:0"] = _upstream.EndPoint.ToString(), ["Access:AllowedUpstreams:0"] = "127.0.0.1/32" });
        Assert.Equal(200, await ConnectStatusAsync());
        Assert.Equal(200, await ConnectStatusAsync(old));

        // A client whose last request was an ordinary miss.
        using RawHttpClient missing = await ConnectAsync();
        Assert.Equal(404, (await missing.GetAsync("http://s1.example.org/cvmfs/synthetic.example.org/external/none")).Status);
        Assert.Equal(200, await ConnectStatusAsync(missing));

        using RawHttpClient waiting = await ConnectAsync();
        Assert.Equal(200, (await waiting.GetAsync(_item.Url)).Status);
        Change(new() { ["Access:Connect:0"] = "www.example.org", ["Access:AllowedUpstreams:0"] = "127.0.0.1/32" });
        Assert.Equal(403, await ConnectStatusAsync());
        Assert.Equal(403, await ConnectStatusAsync(waiting));

        using RawHttpClient last = await ConnectAsync();
        Assert.Equal(200, (await last.GetAsync(_item.Url)).Status);
        Change([]);
        Assert.Equal(405, await ConnectStatusAsync());
        Assert.Equal(405, await ConnectStatusAsync(last));
    }

    [Fact]
    public async Task MaxConnectionsPerClient_SetAndTakenAway_IsInForceForNewConnectionsAndOldOnesStay()
    {
        using RawHttpClient second = await ConnectAsync();
        Assert.Equal(200, (await second.GetAsync(_item.Url)).Status);

        Change(new() { ["Access:MaxConnectionsPerClient"] = "1" });
        Assert.Null(await StatusOfANewOneAsync());
        Assert.Equal((200, 200), (await StatusAsync(), (await second.GetAsync(_item.Url)).Status));

        Change(new() { ["Access:MaxConnectionsPerClient"] = "4" });
        Assert.Equal(200, await StatusOfANewOneAsync());

        Change([]);
        RawHttpClient[] many = await ConnectManyAsync();
        Assert.All(await StatusesAsync(many), status => Assert.Equal(200, status));
        Array.ForEach(many, client => client.Dispose());
    }

    [Fact]
    public async Task MaxRequestsPerSecondPerClient_SetAndTakenAway_IsInForceOnOpenConnections()
    {
        RawHttpClient[] many = await ConnectManyAsync();
        Assert.All(await StatusesAsync(many), status => Assert.Equal(200, status));

        // Two may go at once, two more have their turn within two seconds: 20 would have to come over many seconds for all to be served.
        Change(new() { ["Access:MaxRequestsPerSecondPerClient"] = "1" });
        int[] limited = await StatusesAsync(many);
        Assert.Contains(200, limited);
        Assert.Contains(429, limited);

        Change([]);
        Assert.All(await StatusesAsync(many), status => Assert.Equal(200, status));
        Array.ForEach(many, client => client.Dispose());
    }

    [Fact]
    public async Task Settings_WithMistakes_AreRefusedWithAllOfThemAndTheOldOnesStay()
    {
        Change(new()
        {
            ["Access:Clients:0"] = "10.0.0.0/40",
            ["Access:Connect:0"] = "not a host",
            ["Access:MaxConnectionsPerClient"] = "-1",
            ["Access:Users:alice"] = "secret"
        });

        Assert.Equal(200, await StatusAsync());
        string refusal = Assert.Single(_log.Said.Distinct(), line => line.Contains("refused", StringComparison.Ordinal));
        Assert.All(["Access:Clients", "Access:Connect", "Access:MaxConnectionsPerClient"],
            name => Assert.Contains(name, refusal, StringComparison.Ordinal));
        Assert.DoesNotContain("Access:Users", refusal, StringComparison.Ordinal);
    }

    // In another section than those that a library reads: nothing of a wrong file is in force.
    [Theory]
    [InlineData("Logging:LogLevel:Default", "Loud")]
    [InlineData("Logging:Console:LogLevel:Yarp", "Loud")]
    [InlineData("Logging:Console:FormatterName", "xml")]
    [InlineData("Logging:Console:MaxQueueLength", "-1")]
    [InlineData("Logging:Console:QueueFullMode", "Never")]
    [InlineData("Logging:Console:FormatterOptions:IncludeScopes", "maybe")]
    [InlineData("ReverseProxy:Clusters:test:LoadBalancingPolicy", "None")]
    [InlineData("ReverseProxy:Clusters:test:HealthCheck:Active:Interval", "-00:00:01")]
    [InlineData("ReverseProxy:Clusters:test:HealthCheck:Passive:ReactivationPeriod", "99999.00:00:00")]
    [InlineData("ReverseProxy:Clusters:test:HttpClient:MaxConnectionsPerServer", "few")]
    public async Task Settings_ThatALibraryCannotRead_AreRefusedWholeAndTheOldOnesStay(string name, string value)
    {
        Change(new() { [name] = value, ["Access:Clients:0"] = "10.0.0.0/8" });

        Assert.Equal(200, await StatusAsync());
        string refusal = Assert.Single(_log.Said.Distinct(), line => line.Contains("refused", StringComparison.Ordinal));
        Assert.Contains(name.Split(':')[0], refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_WhichSomebodyCannotTake_TheOldOnesAreInForceAgain()
    {
        bool isStubborn = true;
        using IDisposable stubborn = Microsoft.Extensions.Primitives.ChangeToken.OnChange(
            ((Microsoft.Extensions.Configuration.IConfiguration)_live.Configuration).GetReloadToken,
            () => Assert.False(isStubborn && _live.Configuration["Access:Clients:0"] is not null));
        Change(new() { ["Access:Clients:0"] = "10.0.0.0/8" });
        Assert.Equal(200, await StatusAsync());
        Assert.Contains(_log.Said, line => line.Contains("refused", StringComparison.Ordinal));

        isStubborn = false;
        Change(new() { ["Access:Clients:0"] = "10.0.0.0/16" });
        Assert.Equal(403, await StatusAsync());
    }

    [Fact]
    public void KeysDirectoryAndServeExpired_Changed_AreInForce()
    {
        RepositoryTrust trust = _app.Services.GetRequiredService<RepositoryTrust>();
        using var key = System.Security.Cryptography.RSA.Create(2048);
        string keys = _directory.Combine("keys");
        Directory.CreateDirectory(keys);
        File.WriteAllText(Path.Combine(keys, "synthetic.example.org.pub"), key.ExportSubjectPublicKeyInfoPem());
        Assert.False(trust.Verifies(Fqrn.Parse("synthetic.example.org")));

        Change(new() { ["Repositories:KeysDirectory"] = keys, ["Repositories:ServeExpired"] = "false" });

        Assert.True(trust.Verifies(Fqrn.Parse("synthetic.example.org")));
        Assert.False(_app.Services.GetRequiredService<TrustOptions>().ServeExpired);
    }

    [Fact]
    public async Task Settings_ThatAreNotJson_AreRefusedAndRightOnesLaterAreTaken()
    {
        File.WriteAllText(SettingsPath, "{ \"Access\": ");
        _live.ReadAgain();
        Assert.Equal(200, await StatusAsync());
        Assert.Contains(_log.Said, line => line.Contains("refused", StringComparison.Ordinal)
            && line.Contains("appsettings.json", StringComparison.Ordinal));

        Change(new() { ["Access:Clients:0"] = "10.0.0.0/8" });
        Assert.Equal(403, await StatusAsync());
    }

    private async Task<int> StatusAsync() => (await _client.GetAsync(_item.Url)).Status;

    private Task<RawHttpClient> ConnectAsync() => RawHttpClient.ConnectAsync(_client.Socket.RemoteEndPoint!);

    private async Task<RawHttpClient[]> ConnectManyAsync() => await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ConnectAsync()));

    private Task<int[]> StatusesAsync(IEnumerable<RawHttpClient> clients) =>
        Task.WhenAll(clients.Select(async client => (await client.GetAsync(_item.Url)).Status));

    /// <summary>What one more connection is answered; null when it is cut, which may be as early as while it is made.</summary>
    private async Task<int?> StatusOfANewOneAsync()
    {
        try
        {
            using RawHttpClient client = await ConnectAsync();
            return (await client.GetAsync(_item.Url)).Status;
        }
        catch (Exception e) when (e is EndOfStreamException or SocketException)
        {
            return null;
        }
    }

    private async Task<(int Old, int New)> OldAndNewAsync(string url)
    {
        using RawHttpClient client = await ConnectAsync();
        return ((await _client.GetAsync(url)).Status, (await client.GetAsync(url)).Status);
    }

    /// <summary>What is said to a CONNECT to the Stratum 1, on this connection or (null) a new one, which is used up.</summary>
    private async Task<int> ConnectStatusAsync(RawHttpClient? client = null)
    {
        using RawHttpClient used = client ?? await ConnectAsync();
        await used.SendAsync($"CONNECT {_upstream.EndPoint} HTTP/1.1\r\nHost: {_upstream.EndPoint}\r\n\r\n");
        return (await used.ReadHeadAsync()).Status;
    }

    /// <summary>Writes the file and reads it again, as SIGHUP does; whether the watch was quicker does not matter.</summary>
    private void Change(Dictionary<string, string?> changes)
    {
        Write(changes);
        _live.ReadAgain();
    }

    private void Write(Dictionary<string, string?> changes)
    {
        Dictionary<string, string?> all = new(ProxyUnderTest.Patient)
        {
            ["Proxy:Listen:0"] = "127.0.0.1:0",
            ["Admin:Listen"] = "127.0.0.1:0",
            ["Store:Path"] = _directory.Combine("store"),
            ["Repositories:synthetic.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = _upstream.Address,
            ["Presets"] = "",
            ["Logging:LogLevel:Default"] = "Error",
        };
        foreach ((string name, string? value) in changes)
        {
            if (value is null)
            {
                all.Remove(name);
            }
            else
            {
                all[name] = value;
            }
        }

        // Moved into place: the watch never sees half of it.
        string fresh = SettingsPath + ".new";
        File.WriteAllText(fresh, JsonSerializer.Serialize(all));
        File.Move(fresh, SettingsPath, overwrite: true);
    }
}
