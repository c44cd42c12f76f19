using System.Diagnostics;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>Signals to a process that serves, which this one is as far as they go.</summary>
public sealed class ServeSignalsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Signals_ThatAdministratorsSend_AreSaidAndDoWhatTheySay()
    {
        string file = _directory.Combine("site.json");
        File.WriteAllText(file, "{}");
        using var live = new LiveSettings(SettingsFile.LoadSources(new FileInfo(file)), NullLogger.Instance);
        var log = new LogLines<LiveSettings>();
        using var signals = new ServeSignals();
        signals.Reach(live, log);

        await SendAsync("USR2");
        await Waiting.UntilAsync(() => log.Said.Count == 1);
        await SendAsync("USR1");
        await Waiting.UntilAsync(() => log.Said.Count == 2);
        File.WriteAllText(file, """{ "Access": { "Clients": [ "127.0.0.0/8" ] } }""");
        await SendAsync("HUP");
        await Waiting.UntilAsync(() => live.Configuration["Access:Clients:0"] == "127.0.0.0/8");

        Assert.Equal(["SIGUSR2", "SIGUSR1", "SIGHUP"], log.Said.Select(line => line.Split(' ', ':')[0]));
        Assert.False(signals.Quit.IsCancellationRequested);
        await SendAsync("QUIT");
        await Waiting.UntilAsync(() => signals.Quit.IsCancellationRequested);
    }

    private static async Task SendAsync(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{Environment.ProcessId}"]);
        await kill.WaitForExitAsync().InTimeAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
