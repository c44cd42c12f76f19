using System.CommandLine;
using Breakwater.CacheStore.Faster;
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
        IConfigurationRoot configuration;
        BreakwaterSettings settings;
        try
        {
            configuration = SettingsFile.Load(settingsFile);
            settings = BreakwaterSettings.Load(configuration);
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            await Console.Error.WriteLineAsync("Nothing was started. Correct them in appsettings.json, or by environment variables such as Store__Path.");
            return WrongSettings;
        }

        try
        {
            return await ServeAsync(configuration, settings, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CacheStore.StoreInUseException)
        {
            await Console.Error.WriteLineAsync($"Breakwater cannot start: {e.Message}");
            return CannotStart;
        }
    }

    private static async Task<int> ServeAsync(IConfiguration configuration, BreakwaterSettings settings, CancellationToken cancellationToken)
    {
        using ILoggerFactory logs = LoggerFactory.Create(logging => ProxyServer.AddLogging(logging, configuration));
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(settings.Store, null, logs.CreateLogger<FasterObjectStore>(), cancellationToken);
        await using WebApplication app = ProxyServer.Build(configuration, settings, store);
        await app.StartAsync(cancellationToken);
        foreach (string address in app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses)
        {
            Console.WriteLine($"Breakwater is listening on {address}");
        }

        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }
}
