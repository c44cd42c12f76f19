using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary>The rooms of the proxy on an open store, without listening: what commands work with when no server owns the store.</summary>
internal static class SeedHost
{
    /// <summary>Runs a command; every expected failure is one sentence on standard error.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run();
        }
        catch (SeedRefusedException e)
        {
            await Console.Error.WriteLineAsync($"Refused: {e.Message} Nothing of it was kept.");
            return ExitCodes.Refused;
        }
        catch (AdminException e) when (e.Status == System.Net.HttpStatusCode.UnprocessableEntity)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.Refused;
        }
        catch (AdminException e) when (e.InnerException is not null)
        {
            await Console.Error.WriteLineAsync($"{e.Message} Then run the same command again: an import goes on where it was.");
            return ExitCodes.Unavailable;
        }
        catch (SeedExportException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.Unavailable;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted. Run the same command again: it goes on where it was.");
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Failures.Tell(e);
        }
    }

    /// <summary>Opens the store and hands the rooms to the command.</summary>
    /// <exception cref="StoreInUseException">A server, or another command, owns the store.</exception>
    public static async Task<T> WithStoreAsync<T>(
        IConfigurationRoot configuration, BreakwaterSettings settings, Func<IServiceProvider, Task<T>> run,
        CancellationToken cancellationToken)
    {
        using ILoggerFactory logs = LoggerFactory.Create(logging => ProxyServer.AddLogging(logging, configuration));
        await using FasterObjectStore store = await StoreRights.ExplainAsync(
            settings.Store.Path!,
            () => FasterObjectStore.OpenAsync(settings.Store, null, logs.CreateLogger<FasterObjectStore>(), cancellationToken));
        await using WebApplication app = ProxyServer.Build(configuration, settings, store);
        return await run(app.Services);
    }
}
