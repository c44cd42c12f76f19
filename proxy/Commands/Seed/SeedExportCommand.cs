using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary><c>breakwater seed export</c>: fetches what is missing through the store, then writes the bundle.</summary>
internal static class SeedExportCommand
{
    private static readonly Argument<string[]> s_repositories =
        new("fqrn") { Description = "Repositories, such as cernvm-prod.cern.ch", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string[]> s_tags =
        new("--tag") { Description = "A snapshot by its tag; may be given several times. Default: the trunk", HelpName = "TAG" };
    private static readonly Option<bool> s_trunk = new("--trunk") { Description = "The trunk, beside the tags" };
    private static readonly Option<ulong?> s_revision =
        new("--revision") { Description = "The snapshot of that revision: the current one, or one that a tag names", HelpName = "N" };
    private static readonly Option<FileInfo> s_paths =
        new Option<FileInfo>("--paths")
        {
            Description =
        "Only these files: a list of paths and globs, a client's trace (CVMFS_TRACEFILE), a list of requested URLs, or a "
        + "cvmfs_shrinkwrap specification",
            HelpName = "FILE"
        }.AcceptExistingOnly();
    private static readonly Option<bool> s_allowMissing =
        new("--allow-missing")
        {
            Description =
        "Go on when entries of --paths match nothing; without it they are named, and nothing is written"
        };
    private static readonly Option<string> s_workingSet =
        new("--working-set")
        {
            Description =
        "Only what this working set reads, learned or given, as 'profile list' shows it; without --tag the snapshots that it follows",
            HelpName = "NAME"
        };
    private static readonly Option<bool> s_all = new("--all") { Description = "All files" };
    private static readonly Option<bool> s_whitelistOnly =
        new("--whitelist-only") { Description = "Only the few KB that renew the whitelist of an offline lab" };
    private static readonly Option<FileInfo> s_since =
        new Option<FileInfo>("--since")
        {
            Description = "Leave out what this earlier bundle has",
            HelpName = "BUNDLE"
        }.AcceptExistingOnly();
    private static readonly Option<Uri> s_from =
        new("--from")
        {
            Description =
        "Fetch from this Stratum 1 (or Breakwater) alone, into a store of its own beside the output; default: by the settings, through "
        + "their store",
            HelpName = "URL",
            CustomParser = ParseFrom
        };
    private static readonly Option<string> s_output =
        new("--output",
        "-o")
        {
            Description =
        "The bundle; default NAME.seed.tar. '-' is standard output; a pipe, a device or a link is written to, not replaced",
            HelpName = "F"
        };
    private static readonly Option<string> s_name =
        new("--name") { Description = "Name of the seed; default: made of repositories and tags", HelpName = "NAME" };
    private static readonly Option<double> s_rate =
        new("--rate") { Description = "Most MB a second from Stratum 1s; default: no limit but that clients go first", HelpName = "MB" };

    private static readonly Option<long?> s_split = new("--split")
    {
        Description =
            "Write parts of at most this size, such as 4000M (FAT32 takes no larger file): F.001, F.002, …; 'seed import F' joins them",
        HelpName = "SIZE",
        CustomParser = ParseSize,
    };
    private static readonly Option<bool> s_json = Output.JsonOption();

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command =
            new("export",
            "Write a bundle: say --all, --working-set NAME, --paths FILE or --whitelist-only. Interrupted, run it again: what was "
            + "fetched is kept")
        {
            s_repositories, s_tags, s_trunk, s_revision, s_paths, s_allowMissing, s_workingSet, s_all, s_whitelistOnly, s_since, s_from,
                s_output, s_name, s_rate, s_split, s_json, SettingsFile.Option,
        };
        command.Validators.Add(result =>
        {
            int scopes =
                (result.GetValue(s_all) ? 1 : 0) + (result.GetValue(s_paths) is null ? 0 : 1)
                + (result.GetValue(s_workingSet) is null ? 0 : 1) + (result.GetValue(s_whitelistOnly) ? 1 : 0);
            if (scopes != 1)
            {
                result.AddError("Say what to carry: exactly one of --all, --working-set NAME, --paths FILE and --whitelist-only.");
            }

            if (result.GetValue(s_allowMissing) && result.GetValue(s_paths) is null)
            {
                result.AddError("--allow-missing goes with --paths.");
            }

            bool hasTags = result.GetValue(s_tags) is { Length: > 0 } || result.GetValue(s_trunk);
            if (result.GetValue(s_revision) is not null && hasTags)
            {
                result.AddError("--revision names the snapshot: leave --tag and --trunk out.");
            }

            if (result.GetValue(s_whitelistOnly) && (hasTags || result.GetValue(s_revision) is not null))
            {
                result.AddError("--whitelist-only carries no snapshot: leave --tag, --trunk and --revision out.");
            }

            foreach (string fqrn in result.GetValue(s_repositories) ?? [])
            {
                if (!SeedPath.IsFqrn(fqrn))
                {
                    result.AddError($"'{fqrn}' is not a repository's name.");
                }
            }

            if (result.GetValue(s_name) is { } name && !SeedName.IsValid(name))
            {
                result.AddError(SeedName.Rule);
            }
        });
        command.SetAction((parsed, cancel) => SeedHost.RunAsync(() => RunAsync(parsed, cancel), cancel));
        return command;
    }

    /// <summary>Bytes, or a number with K, M or G in powers of 1000.</summary>
    private static long? ParseSize(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        int scale = "KMG".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) + 1;
        if (long.TryParse(scale > 0 ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number is > 0 and < 1_000_000_000_000 && number * (long)Math.Pow(1000, scale) is >= 1_000_000 and var bytes)
        {
            return bytes;
        }

        result.AddError($"--split: '{text}' is not a size such as 4000M or 2G; a part has 1M at least.");
        return null;
    }

    private static Uri? ParseFrom(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out Uri? url)
            && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps))
        {
            return url;
        }

        result.AddError($"'{result.Tokens[0].Value}' is not the URL of a server, such as http://cvmfs-stratum-one.cern.ch/.");
        return null;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        SeedOrder order = await ReadOrderAsync(parsed, cancellationToken);
        var output = SeedOutput.Of(parsed.GetValue(s_output), $"{order.Name ?? string.Join('+', order.Repositories)}.seed.tar");
        if (parsed.GetValue(s_from) is { } from)
        {
            return await ExportFromAsync(parsed, from, order, output, cancellationToken);
        }

        (IConfigurationRoot configuration, BreakwaterSettings settings) = SettingsFile.Read(parsed.GetValue(SettingsFile.Option));
        try
        {
            return await SeedHost.WithStoreAsync(configuration, settings,
                services => ExportAsync(services, order, output, parsed, cancellationToken), cancellationToken);
        }
        catch (StoreInUseException)
        {
            // The server that owns the store is a Stratum 1 to us: what it lacks, it fetches and keeps.
            System.Net.IPEndPoint listen = settings.Proxy.ListenEndPoints().First();
            bool isAny = listen.Address.Equals(System.Net.IPAddress.Any) || listen.Address.Equals(System.Net.IPAddress.IPv6Any);
            var server = new Uri(isAny ? $"http://127.0.0.1:{listen.Port}/" : $"http://{listen}/");
            SeedView.Say($"A running Breakwater owns the store {settings.Store.Path}: exporting through it, from {server}");
            return await ExportFromAsync(parsed, server, order, output, cancellationToken);
        }
    }

    /// <summary>Exports through a store of its own, which goes when the bundle is complete.</summary>
    private static async Task<int> ExportFromAsync(ParseResult parsed, Uri from, SeedOrder order, SeedOutput output,
        CancellationToken cancellationToken)
    {
        string spool = output.Beside + ".store";
        Dictionary<string, string?> overlay = new()
        {
            ["Store:Path"] = spool,
            ["Proxy:Offline"] = "false", // the one server is asked, whomever the settings let it ask
            ["ReverseProxy:Clusters:seed-export:Destinations:1:Address"] = from.GetLeftPart(UriPartial.Authority) + "/",
        };
        foreach (string fqrn in order.Repositories)
        {
            overlay[$"Repositories:{fqrn}:Cluster"] = "seed-export";
            overlay[$"Repositories:{fqrn}:Published"] = "false";
        }

        (IConfigurationRoot configuration, BreakwaterSettings settings) = SettingsFile.Read(parsed.GetValue(SettingsFile.Option), overlay);
        bool hasRoom = false;
        int code;
        try
        {
            code = await SeedHost.WithStoreAsync(configuration, settings, async services =>
            {
                CancellationToken refusing = services.GetRequiredService<IObjectStore>().Refusing;
                try
                {
                    return await ExportAsync(services, order, output, parsed, cancellationToken);
                }
                finally
                {
                    hasRoom = !refusing.IsCancellationRequested;
                }
            }, cancellationToken);
        }
        catch (Exception e) when (!hasRoom && e is SeedExportException or IOException or UnauthorizedAccessException)
        {
            // Whoever exports knows of the bundle, not of this store.
            throw new IOException(
                $"The bundle {output.Name} cannot be made: what is fetched for it is kept beside it, in {spool}, and that disk does not "
                + $"take "
                + $"it. {e.Message}", e);
        }

        if (code == 0)
        {
            Directory.Delete(spool, recursive: true);
        }

        return code;
    }

    private static async Task<int> ExportAsync(IServiceProvider services, SeedOrder order, SeedOutput output, ParseResult parsed,
        CancellationToken cancellationToken)
    {
        SeedPlan plan = await services.GetRequiredService<SeedPlanner>().PlanAsync(order, cancellationToken);
        SeedView.Say($"{plan.Objects} objects; {plan.Missing.Count} to fetch"
            + (plan.MissingBytesEstimate > 0 ? $", at most about {SeedView.Size(plan.MissingBytesEstimate)}" : ""));
        SayUnmatched(plan, order, parsed.GetValue(s_allowMissing));
        foreach (SeedPlanRepository unverified in plan.Repositories.Where(repository => !repository.IsVerified))
        {
            SeedView.Say(
                $"Note: no master key of this site verifies {unverified.Fqrn}, and the bundle carries none: "
                    + "set Repositories:KeysDirectory.");
        }

        SeedExporter exporter = services.GetRequiredService<SeedExporter>();
        await SeedView.ProgressAsync("fetching", async progress =>
        {
            await exporter.FetchAsync(plan, order, progress, cancellationToken);
            return 0;
        });
        SeedIndex index = null!;
        long bytes = await output.WriteAsync(async stream =>
            index = await SeedView.ProgressAsync("writing",
            progress => exporter.WriteAsync(plan, order, stream, progress, cancellationToken)), parsed.GetValue(s_split));
        if (parsed.GetValue(s_json) && !output.IsStandardOutput)
        {
            Output.WriteJson(new { File = output.Name, Bytes = bytes, Index = index });
            return 0;
        }

        SeedView.Show(index, DateTimeOffset.UtcNow, output.IsStandardOutput);
        string parts = parsed.GetValue(s_split) is null ? "" : $".001 and on: 'seed import {output.Name}' joins them";
        SeedView.Say($"Written to {output.Name}{parts} ({SeedView.Size(bytes)})", output.IsStandardOutput);
        return 0;
    }

    /// <summary>A lab must not find out offline that its list had a misspelt path.</summary>
    private static void SayUnmatched(SeedPlan plan, SeedOrder order, bool allowMissing)
    {
        if (order.Paths is { SkippedLines: > 0 and var skipped })
        {
            SeedView.Say(
                $"Note: {skipped} lines of the trace are cut, as the client does at a byte beyond ASCII, and were skipped: what they "
                + $"name is not carried.");
        }

        foreach (string sentence in plan.PartlyMatched)
        {
            SeedView.Say($"Note: {sentence}");
        }

        if (plan.Unmatched.Count == 0)
        {
            return;
        }

        string names = string.Concat(plan.Unmatched.Select(sentence => $"\n  {sentence}"));
        if (order.Paths is not null && !allowMissing)
        {
            throw new SeedExportException(
                $"The list asks for what is in no snapshot:{names}\nNothing was written. Correct the list, or say --allow-missing to go "
                + $"on without.");
        }

        SeedView.Say($"Note: not carried, since no snapshot has it:{names}");
    }

    private static async Task<SeedOrder> ReadOrderAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        FileInfo? paths = parsed.GetValue(s_paths);
        string[] tags = parsed.GetValue(s_tags) ?? [];
        double megabytesPerSecond = parsed.GetValue(s_rate);
        if (megabytesPerSecond < 0)
        {
            throw new SeedExportException("--rate is a number of MB a second above 0; leave it out for no limit.");
        }

        var order = new SeedOrder
        {
            Repositories = parsed.GetRequiredValue(s_repositories),
            Tags = tags,
            Trunk = parsed.GetValue(s_trunk),
            Revision = parsed.GetValue(s_revision),
            WhitelistOnly = parsed.GetValue(s_whitelistOnly),
            Name = parsed.GetValue(s_name),
            Scope = paths is null ? "all" : "paths",
            BytesPerSecond = (long)(megabytesPerSecond * 1e6),
            Since = parsed.GetValue(s_since) is { } since ? await ReadKeysAsync(since, cancellationToken) : new HashSet<ObjectKey>(),
        };
        if (parsed.GetValue(s_workingSet) is { } name)
        {
            IReadOnlyDictionary<string, WorkingSet> sets =
                await SeedWorkingSets.LoadAsync(parsed.GetValue(SettingsFile.Option), order.Repositories, name, cancellationToken);
            return order with { WorkingSet = fqrn => sets[fqrn], Scope = $"working set {name}" };
        }

        if (paths is null)
        {
            return order;
        }

        byte[] text = await GivenFile.ReadAsync(paths.FullName, cancellationToken);
        Parsed<SeedPathList> list = SeedPathList.Read(text, order.Repositories);
        return list.TryGet(out SeedPathList? found, out string? problem)
            ? order with { Paths = found, WorkingSet = fqrn => found.ToSet(fqrn, tags) }
            : throw new SeedExportException($"{paths.FullName}: {problem}");
    }

    private static async Task<HashSet<ObjectKey>> ReadKeysAsync(FileInfo bundle, CancellationToken cancellationToken)
    {
        await using Stream stream = BundleParts.Open(bundle.FullName);
        var reader = new SeedReader(stream, new SeedLimits(long.MaxValue));
        await reader.ReadIndexAsync(cancellationToken);
        var keys = new SeedKeys();
        await reader.ReadContentAsync(keys, cancellationToken);
        return keys.Keys;
    }
}
