using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Commands.Store;

/// <summary><c>breakwater store</c>: looks into the store at Store:Path, whether a Breakwater runs on it or not.</summary>
internal static class StoreCommand
{
    /// <summary>Exit code of <c>verify</c> when something is damaged.</summary>
    private const int FoundDamage = 1;

    private static readonly Option<bool> s_json = Output.JsonOption();

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() =>
        new("store", "The object store at Store:Path: what it holds, is it right, make room, how fast is its disk")
    {
        Make("stats", "How many objects, how much room, what was evicted, what was damaged", StatsAsync),
        MakeList(),
        MakeVerify(),
        MakeEvict(),
        StoreBench.Create(s_json),
    };

    private static Command MakeList()
    {
        Option<bool> pinned = new("--pinned") { Description = "Only pinned objects" };
        Option<string> repository =
            new("--repository")
            {
                Description =
            "Only what the catalogs of a repository name: its newest and its tagged revisions, as far as they are in the store",
                HelpName = "FQRN"
            };
        Command command = Make("ls", "Lists the objects: key, bytes, pinned or not", (store, parsed, json, cancellationToken) =>
            ListAsync(store, parsed.GetValue(pinned), parsed.GetValue(repository), json, cancellationToken));
        command.Add(pinned);
        command.Add(repository);
        return command;
    }

    private static Command MakeVerify()
    {
        Option<bool> repair =
            new("--repair") { Description = "Put damaged objects into quarantine and forget them, so that they are fetched again" };
        Command command =
            Make("verify", "Reads and hashes every object. Exit code 1 when one is damaged", (store, parsed, json, cancellationToken) =>
            VerifyAsync(store, parsed.GetValue(repair), json, cancellationToken));
        command.Add(repair);
        return command;
    }

    private static Command MakeEvict()
    {
        Option<long> bytes =
            new("--to")
            {
                Description = "Evict, by the store's own policy, until it takes at most so many bytes; pinned objects stay",
                HelpName = "BYTES",
                Required = true
            };
        bytes.Validators.Add(static result =>
        {
            if (result.Tokens.Any(static token => token.Value.StartsWith('-')))
            {
                result.AddError("--to takes a number of bytes, 0 or more.");
            }
        });
        Command command =
            Make("evict", "Makes room now",
            (store, parsed, json, cancellationToken) => EvictAsync(store, parsed.GetValue(bytes), json, cancellationToken));
        command.Add(bytes);
        return command;
    }

    private static Command Make(string name, string description, Func<IStoreAccess, ParseResult, bool, CancellationToken, Task<int>> run)
    {
        Command command = new(name, description) { SettingsFile.Option, s_json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ReadableSettings read = OnDisk.Read(parsed.GetValue(SettingsFile.Option));
            try
            {
                await using IStoreAccess store = read.Wrong is null
                    ? await OpenAsync(read.Configuration, read.Settings, cancellationToken)
                    : new RunningStore(new AdminClient(read.Settings)); // only a server opens a store by settings that are wrong now
                return await run(store, parsed, parsed.GetValue(s_json), cancellationToken);
            }
            catch (AdminException e) when (read.Wrong is not null && e.Status is null)
            {
                throw read.Wrong;
            }
        });
        return command;
    }

    private static async Task<IStoreAccess> OpenAsync(IConfiguration configuration, BreakwaterSettings settings,
        CancellationToken cancellationToken)
    {
        ThrowIfThereIsNone(settings.Store.Path!);

        try
        {
            return Offline(await FasterObjectStore.OpenAsync(settings.Store, null, null, cancellationToken), configuration, settings);
        }
        catch (StoreInUseException inUse)
        {
            try
            {
                return new RunningStore(new AdminClient(settings));
            }
            catch (AdminException e)
            {
                throw new AdminException($"{inUse.Message} Its admin port was not found either: {e.Message}", null, e);
            }
        }
    }

    /// <summary>A directory that may not be looked into is there all the same.</summary>
    private static void ThrowIfThereIsNone(string path)
    {
        string objects = Path.Combine(path, "objects");
        try
        {
            if (File.GetAttributes(objects).HasFlag(FileAttributes.Directory))
            {
                _ = Directory.EnumerateFileSystemEntries(objects).Any(); // asks for the right to look
                return;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw StoreRights.Explain(path, e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Told below.
        }

        throw new IOException($"There is no store at {path}. Set Store:Path, or start 'breakwater serve' once.");
    }

    private static OfflineStore Offline(FasterObjectStore store, IConfiguration configuration, BreakwaterSettings settings)
    {
        // never listens: its rooms know repositories
        Lazy<WebApplication> app = new(() => ProxyServer.Build(configuration, settings, store));
        return new OfflineStore(store, () => app.Value.Services.GetRequiredService<StoredSnapshots>(), async () =>
        {
            if (app.IsValueCreated)
            {
                await app.Value.DisposeAsync();
            }

            await store.DisposeAsync();
        });
    }

    private static async Task<int> StatsAsync(IStoreAccess store, ParseResult parsed, bool json, CancellationToken cancellationToken)
    {
        StoreStatistics s = await store.StatisticsAsync(cancellationToken);
        if (json)
        {
            Print(s);
            return 0;
        }

        (string Name, string Value)[] lines =
        [
            ("objects", s.Objects.ToString("N0", CultureInfo.InvariantCulture)),
            ("documents", s.Documents.ToString("N0", CultureInfo.InvariantCulture)),
            ("used of quota", $"{Size(s.UsedBytes)} of {Size(s.QuotaBytes)} ({Size(s.FreshBytes)} fresh, {Size(s.KeptBytes)} kept)"),
            ("pinned", Size(s.PinnedBytes)),
            ("stored since start", $"{Size(s.StoredBytes)}, rewritten {Size(s.RewrittenBytes)}"),
            ("evicted since start", s.EvictedObjects.ToString("N0", CultureInfo.InvariantCulture) + " objects"),
            ("found damaged", s.DamagedObjects.ToString("N0", CultureInfo.InvariantCulture) + " objects"),
            ("disk", s.WriteFailure is null ? "takes writes" : $"REFUSES WRITES: {s.WriteFailure}"),
        ];
        foreach ((string name, string value) in lines)
        {
            Console.WriteLine($"{name,-20} {value}");
        }

        foreach (ShareUse use in s.Shares.Where(use => use.Bytes > 0 || use.QuotaBytes is not null))
        {
            Console.WriteLine($"  {use.Name,-18} {Size(use.Bytes)}{(use.QuotaBytes is { } quota ? $" of {Size(quota)}" : "")}");
        }

        return 0;
    }

    private static async Task<int> ListAsync(IStoreAccess store, bool pinnedOnly, string? repository, bool json,
        CancellationToken cancellationToken)
    {
        await foreach (ListedObject listed in store.ListAsync(pinnedOnly, repository, cancellationToken))
        {
            Console.WriteLine(json
                ? JsonSerializer.Serialize(listed, AdminServer.Json) // one object a line
                : string.Create(CultureInfo.InvariantCulture,
                $"{listed.Key,-50} {listed.SizeBytes,12}{(listed.IsPinned ? "  pinned" : "")}"));
        }

        return 0;
    }

    private static async Task<int> VerifyAsync(IStoreAccess store, bool repair, bool json, CancellationToken cancellationToken)
    {
        VerifyResult result = await store.VerifyAsync(repair, cancellationToken);
        if (json)
        {
            Print(result);
        }
        else
        {
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture,
                $"{result.Objects:N0} objects, {Size(result.Bytes)} hashed; {result.Damaged.Count} damaged."));
            foreach (string key in result.Damaged)
            {
                Console.WriteLine($"damaged: {key}");
            }

            if (result.Damaged.Count > 0)
            {
                Console.WriteLine(repair
                    ? "They are in quarantine and will be fetched again. Look at the disk's health (dmesg, smartctl)."
                    : "Run it again with --repair to forget them; they will be fetched again.");
            }
        }

        return result.Damaged.Count > 0 ? FoundDamage : 0;
    }

    private static async Task<int> EvictAsync(IStoreAccess store, long bytes, bool json, CancellationToken cancellationToken)
    {
        long used = await store.EvictAsync(bytes, cancellationToken);
        if (json)
        {
            Print(new EvictResult(used));
        }
        else
        {
            Console.WriteLine(used <= bytes
                ? $"The store takes {Size(used)} now."
                : $"The store takes {Size(used)} now: the rest is pinned or being written.");
        }

        return 0;
    }

    private static void Print<T>(T value) => Output.WriteJson(value);

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 40 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 40):F2} TiB"),
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F1} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };
}
