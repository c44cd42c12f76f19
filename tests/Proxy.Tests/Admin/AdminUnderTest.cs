using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>An admin port with one room, and a client of it.</summary>
internal sealed class AdminUnderTest : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly AdminServer _server;

    private AdminUnderTest(IAdminRoom room)
    {
        var settings = new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new CacheStore.StoreOptions { Path = _directory.Path },
            Repositories = new Dictionary<string, RepositoryOptions>(),
            Admin = new AdminOptions { Listen = "127.0.0.1:0", TokenFile = _directory.Combine("admin.token") },
        };
        _server = new AdminServer(settings, new Health([]), [room], ListenPlan.Make(settings, []), NullLoggerFactory.Instance);
    }

    public HttpClient Http { get; } = new();

    public static async Task<AdminUnderTest> StartAsync(IAdminRoom room)
    {
        var admin = new AdminUnderTest(room);
        await admin._server.StartAsync(CancellationToken.None);
        admin.Http.BaseAddress = admin._server.Address;
        return admin;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
        _directory.Dispose();
    }
}
