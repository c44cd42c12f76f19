using System.CommandLine;
using System.Net.Sockets;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater serve</c>, and what happens with no command: the proxy itself.</summary>
internal static class ServeCommand
{
    private const string Name = "serve";

    /// <summary>
    /// Under a service manager a process that cannot start waits so long before it ends with <see cref="ExitCodes.CannotStart"/>: the
    /// unit's limit of starts, which is for processes that fail at once and without a word, must not end the attempts.
    /// </summary>
    private static readonly TimeSpan s_pace = TimeSpan.FromSeconds(4);

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var command =
            new Command(Name,
            "Serve: the site proxy, on Proxy:Listen, with its store at Store:Path. Ends cleanly on SIGTERM or Ctrl+C.") {
            SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));
        return command;
    }

    /// <summary>Does a command line say that the proxy is to serve, in so many words or in none?</summary>
    public static bool IsMeant(Command command) => command is RootCommand or { Name: Name };

    /// <summary>Serves until the process is told to stop.</summary>
    public static async Task<int> RunAsync(FileInfo? settingsFile, CancellationToken cancellationToken)
    {
        using var signals = new ServeSignals();

        LiveSettings live;
        try
        {
            live = new LiveSettings(SettingsFile.LoadSources(settingsFile), NullLogger.Instance);
        }
        catch (SettingsException e)
        {
            await SayAsync(Console.Error,
                $"{e.Message}{Environment.NewLine}Nothing was started. Settings are read from "
                + $"{string.Join(", then ", SettingsFile.PathsOf(settingsFile))}, then environment variables such as Store__Path; "
                + "'breakwater settings check' checks them.");
            return ExitCodes.WrongSettings;
        }

        using LiveSettings closed = live;
        try
        {
            return await ServeAsync(live, signals, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to stop before it had started: who waits in a socket that was handed over is the next process's.
            InheritedSockets.Served();
            return 0;
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or CacheStore.StoreInUseException)
        {
            await SayAsync(Console.Error, $"Breakwater cannot start: {e.Message}{PortsInTheWay(e, live.Settings)}");
            if (e is CacheStore.StoreInUseException { ProcessId: int holder } && InheritedSockets.AreSharedWith(holder))
            {
                InheritedSockets.Served();
            }

            await PaceAsync(cancellationToken);
            return ExitCodes.CannotStart;
        }
    }

    /// <summary>Of a socket that was refused: which setting names it, and what to do. Empty when it was something else.</summary>
    private static string PortsInTheWay(Exception failure, BreakwaterSettings settings)
    {
        if (failure.GetBaseException() is not SocketException || InheritedSockets.All.Count > 0)
        {
            return "";
        }

        return string.Concat(DoctorHost.Ports(settings).Where(port => port.Level != CheckLevel.Ok)
            .Select(port => $"{Environment.NewLine}{port.Name}: {port.Found}. {port.Next}."));
    }

    /// <summary>What these lead to may be full or gone, which is no reason to end, nor to end in another way.</summary>
    private static async Task SayAsync(TextWriter to, string message)
    {
        try
        {
            await to.WriteLineAsync(message);
        }
        catch (IOException)
        {
        }
    }

    private static async Task PaceAsync(CancellationToken cancellationToken)
    {
        InheritedSockets.RefuseClients();
        if (ServiceManager.IsThere)
        {
            await Task.Delay(s_pace, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<int> ServeAsync(LiveSettings live, ServeSignals signals, CancellationToken cancellationToken)
    {
        // By the settings in force: those of the sources may be wrong, which a logger tells by an exception.
        using ILoggerFactory logs = LoggerFactory.Create(logging => ProxyServer.AddLogging(logging, live.Configuration));
        live.Log = logs.CreateLogger<LiveSettings>();
        signals.Reach(live, logs.CreateLogger<LiveSettings>());
        BreakwaterSettings settings = live.Settings;
        ListenPlan plan = ListenPlan.Make(settings, InheritedSockets.All);
        if (plan.Errors.Count > 0)
        {
            await SayAsync(Console.Error, $"Breakwater cannot start: {string.Join(Environment.NewLine, plan.Errors)}");
            return ExitCodes.WrongSettings;
        }

        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(settings.Store, null, logs.CreateLogger<FasterObjectStore>(), cancellationToken);
        DescriptorBudget.ThrowIfShort(settings.Proxy.MaxConcurrentFetches, store.MostOpenFiles, DescriptorBudget.Limit());
        await using WebApplication app = ProxyServer.Build(live.Configuration, settings, store, plan: plan, live: live);
        signals.Reach(app.Services);
        var memory = MemoryPlan.Of(
            settings,
            app.Services.GetRequiredService<ConnectionBudget>().Connections,
            store.Statistics.QuotaBytes,
            Environment.ProcessorCount,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        logs.CreateLogger(nameof(MemoryPlan)).LogInformation("{Plan}", MemoryPlan.Describe(memory.Apply(), memory.WantedBytes));
        await app.StartAsync(cancellationToken);
        InheritedSockets.Served();
        foreach (string address
            in app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses)
        {
            await SayAsync(Console.Out, $"Breakwater is listening on {address}");
        }

        await StopSignalAsync(app, signals, cancellationToken);
        await LeaveTaking.StopAsync(app, settings.Proxy);
        return 0;
    }

    private static async Task StopSignalAsync(WebApplication app, ServeSignals signals, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, signals.Quit, app.Lifetime.ApplicationStopping);
        try
        {
            await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (OperationCanceledException)
        {
            // SIGTERM, SIGQUIT or Ctrl+C.
        }
    }
}
