using System.CommandLine;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Faster;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater serve</c>, and what happens with no command: the proxy itself.</summary>
internal static class ServeCommand
{
    /// <summary>Exit code when the settings are wrong (EX_CONFIG of sysexits.h).</summary>
    public const int WrongSettings = 78;

    /// <summary>Exit code when the store or a port cannot be had (EX_CANTCREAT).</summary>
    public const int CannotStart = 73;

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var command = new Command("serve", "Serve: the site proxy, on Proxy:Listen, with its store at Store:Path. Ends cleanly on SIGTERM or Ctrl+C.") { SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));
        return command;
    }

    /// <summary>Serves until the process is told to stop.</summary>
    public static async Task<int> RunAsync(FileInfo? settingsFile, CancellationToken cancellationToken)
    {
        SettingsSources sources;
        try
        {
            sources = SettingsFile.LoadSources(settingsFile);
            BreakwaterSettings.Load(sources.Root);
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            await Console.Error.WriteLineAsync("Nothing was started. Correct them in appsettings.json, or by environment variables such as Store__Path.");
            return WrongSettings;
        }

        try
        {
            return await ServeAsync(sources, cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or CacheStore.StoreInUseException)
        {
            await Console.Error.WriteLineAsync($"Breakwater cannot start: {e.Message}");
            return CannotStart;
        }
    }

    private static async Task<int> ServeAsync(SettingsSources sources, CancellationToken cancellationToken)
    {
        using ILoggerFactory logs = LoggerFactory.Create(logging => ProxyServer.AddLogging(logging, sources.Root));
        using var live = new LiveSettings(sources, logs.CreateLogger<LiveSettings>());
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            live.ReadAgain();
        });
        BreakwaterSettings settings = live.Settings;
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(settings.Store, null, logs.CreateLogger<FasterObjectStore>(), cancellationToken);
        DescriptorBudget.ThrowIfShort(settings.Proxy.MaxConcurrentFetches, store.MostOpenFiles, DescriptorBudget.Limit());
        await using WebApplication app = ProxyServer.Build(live.Configuration, settings, store);
        await app.StartAsync(cancellationToken);
        foreach (string address in app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses)
        {
            Console.WriteLine($"Breakwater is listening on {address}");
        }

        await StopSignalAsync(app, cancellationToken);
        await DrainAsync(app, settings.Proxy);
        return 0;
    }

    private static async Task StopSignalAsync(WebApplication app, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, app.Lifetime.ApplicationStopping);
        try
        {
            await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (OperationCanceledException)
        {
            // SIGTERM or Ctrl+C.
        }
    }

    /// <summary>Says good-bye on every answer, then stops accepting, lets responses under way end, and closes. The store commits when it is disposed.</summary>
    private static async Task DrainAsync(WebApplication app, ProxyOptions proxy)
    {
        app.Services.GetRequiredService<Drain>().Begin();
        await Task.Delay(proxy.DrainTimeout / 2 < proxy.Farewell ? proxy.DrainTimeout / 2 : proxy.Farewell);
        await app.StopAsync();
    }
}
