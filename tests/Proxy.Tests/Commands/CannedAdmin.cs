using System.CommandLine;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>An admin port whose answers a test chooses, and a settings file by which commands find it.</summary>
internal sealed class CannedAdmin : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly AdminServer _server;
    private readonly string _file;

    private CannedAdmin(Action<AdminApi> map)
    {
        string token = _directory.Combine("admin.token");
        _file = _directory.Combine("settings.json");
        File.WriteAllText(_file, JsonSerializer.Serialize(new
        {
            Store = new { Path = _directory.Combine("store") },
            Admin = new { Listen = "127.0.0.1:0", TokenFile = token },
        }));
        BreakwaterSettings settings = SettingsFile.Read(new FileInfo(_file)).Settings;
        _server =
            new AdminServer(settings, new Health([]), [new Room(map)], ListenPlan.Make(settings, []), NullLoggerFactory.Instance);
    }

    /// <summary>Starts one.</summary>
    /// <param name="map">Maps what it answers.</param>
    public static async Task<CannedAdmin> StartAsync(Action<AdminApi> map)
    {
        var admin = new CannedAdmin(map);
        await admin._server.StartAsync(CancellationToken.None);
        return admin;
    }

    /// <summary>Runs a command that asks it.</summary>
    public Task<CommandRun> RunAsync(Command command, params IEnumerable<string> words) =>
        CommandRun.OfAsync(command, [.. words, "--settings", _file]);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private sealed class Room(Action<AdminApi> map) : IAdminRoom
    {
        public void Map(AdminApi admin) => map(admin);
    }
}
