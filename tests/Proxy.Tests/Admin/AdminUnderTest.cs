using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>An admin port with one room, a client of it, and the settings file by which commands find it.</summary>
internal sealed class AdminUnderTest : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly AdminServer _server;

    private AdminUnderTest(IAdminRoom room)
    {
        SettingsPath = _directory.Combine("settings.json");
        File.WriteAllText(SettingsPath, JsonSerializer.Serialize(new
        {
            Store = new { Path = _directory.Combine("store") },
            Admin = new { Listen = "127.0.0.1:0", TokenFile = _directory.Combine("admin.token") },
        }));
        BreakwaterSettings settings = SettingsFile.Read(new FileInfo(SettingsPath)).Settings;
        _server = new AdminServer(settings, new Health([]), [room], ListenPlan.Make(settings, []), NullLoggerFactory.Instance);
    }

    public HttpClient Http { get; } = new();

    public string SettingsPath { get; }

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
