using System.CommandLine;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Tests.Admin;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>An admin port whose answers a test chooses, for commands that ask it.</summary>
internal sealed class CannedAdmin : IAsyncDisposable
{
    private readonly AdminUnderTest _admin;

    private CannedAdmin(AdminUnderTest admin) => _admin = admin;

    /// <summary>Starts one.</summary>
    /// <param name="map">Maps what it answers.</param>
    public static async Task<CannedAdmin> StartAsync(Action<AdminApi> map) => new(await AdminUnderTest.StartAsync(new Room(map)));

    /// <summary>The settings file by which commands find it.</summary>
    public string SettingsPath => _admin.SettingsPath;

    /// <summary>Changes that file, which it does not read again.</summary>
    public void ChangeSettings(Func<string, string> change) =>
        File.WriteAllText(SettingsPath, change(File.ReadAllText(SettingsPath)));

    /// <summary>Runs a command that asks it.</summary>
    public Task<CommandRun> RunAsync(Command command, params IEnumerable<string> words) =>
        CommandRun.OfAsync(command, [.. words, "--settings", _admin.SettingsPath]);

    public ValueTask DisposeAsync() => _admin.DisposeAsync();

    private sealed class Room(Action<AdminApi> map) : IAdminRoom
    {
        public void Map(AdminApi admin) => map(admin);
    }
}
