using System.CommandLine;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary><c>breakwater seed</c>: bundles that carry repositories to where there is no network.</summary>
internal static class SeedCommand
{
    private static readonly Option<bool> s_json = Output.JsonOption();
    private static readonly Option<bool> s_allNodes = AllNodes.Option();
    private static readonly Dictionary<string, string?> s_offline = new() { ["Proxy:Offline"] = "true" };

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() =>
        new("seed", "Seed bundles: carry a repository, a tag or a boot's files to a place without network, in one verifiable file")
    {
        SeedExportCommand.Create(), CreateImport(), CreateVerify(), CreateShow(), CreateList(), CreateRemove(),
    };

    private static Command CreateImport()
    {
        Argument<string> source =
            new("FILE") { Description = "The bundle; '-' reads standard input; a directory that holds a Stratum 1's tree works too" };
        Option<string> name = new("--name") { Description = "Name of the seed in the store; default: the bundle's own", HelpName = "NAME" };
        name.Validators.Add(result =>
        {
            if (result.GetValue(name) is { } text && !SeedName.IsValid(text))
            {
                result.AddError(SeedName.Rule);
            }
        });
        Command command =
            new("import",
            "Verify a bundle, store it, pin it. Nothing is visible before all of it is in; interrupted, run it again") { source, name,
            s_allNodes, s_json, SettingsFile.Option };
        command.SetAction((parsed, cancel) => SeedHost.RunAsync(
            () => parsed.GetValue(s_allNodes)
            ? ImportOnAllAsync(parsed.GetValue(SettingsFile.Option), parsed.GetRequiredValue(source), parsed.GetValue(name),
                parsed.GetValue(s_json), cancel)
            : ImportAsync(parsed.GetValue(SettingsFile.Option), parsed.GetRequiredValue(source), parsed.GetValue(name),
            parsed.GetValue(s_json), cancel), cancel));
        return command;
    }

    private static async Task<int> ImportAsync(
        FileInfo? settingsFile, string source, string? name, bool asJson, CancellationToken cancellationToken)
    {
        ReadableSettings read = OnDisk.Read(settingsFile, s_offline);
        var limits = new SeedLimits(read.Settings.Store.MaxObjectBytes);
        SeedImportResult result = await OnDisk.OnStoreOrServerAsync(
            read,
            () => SeedHost.WithStoreAsync(read.Configuration, read.Settings, async services =>
            {
                await using Stream? bundle = Directory.Exists(source) ? null : OpenBundle(source);
                ISeedSource seed = bundle is null ? new TreeSource(new DirectoryInfo(source), limits) : new BundleSource(bundle, limits);
                return await SeedView.ProgressAsync(
                    "importing",
                    progress => services.GetRequiredService<SeedImporter>().ImportAsync(seed, name, progress, cancellationToken));
            }, cancellationToken),
            client => UploadAsync(client, source, name, cancellationToken));
        SeedView.Show(result, asJson);
        return 0;
    }

    private static async Task<SeedImportResult> UploadAsync(
        AdminClient client, string source, string? name, CancellationToken cancellationToken)
    {
        if (Directory.Exists(source))
        {
            throw new IOException(
                "A running Breakwater owns the store, and takes bundles only: pack the tree with 'seed export --from' elsewhere, or "
                + "stop the server.");
        }

        await using Stream bundle = OpenBundle(source);
        return await client.UploadAsync<SeedImportResult>(PathOf(name), bundle, cancellationToken);
    }

    private static Task<int> ImportOnAllAsync(
        FileInfo? settingsFile, string source, string? name, bool asJson, CancellationToken cancellationToken) =>
        source == "-" || Directory.Exists(source)
        ? throw new IOException("--all-nodes sends the bundle to one node after the other: name a bundle's file.")
        : AllNodes.RunAsync(settingsFile, true, async (client, token) =>
        {
            SeedView.Show(await UploadAsync(client, source, name, token), asJson);
            return 0;
        }, cancellationToken);

    private static string PathOf(string? name) => "seeds" + (name is null ? "" : $"?name={name}");

    private static Command CreateVerify()
    {
        Argument<string> file = new("FILE") { Description = "The bundle; '-' reads standard input" };
        Command command =
            new("verify", "Check every byte of a bundle, its chain of trust and what it promises, without a store") { file,
            s_json, SettingsFile.Option };
        command.SetAction((parsed, cancel) => SeedHost.RunAsync(
            async () =>
            {
                (_, BreakwaterSettings settings) = SettingsFile.Read(parsed.GetValue(SettingsFile.Option), s_offline);
                var trust = new SeedTrust(new RepositoryTrust(MasterKeys.Load(settings.Trust.KeysDirectory)), TimeProvider.System);
                await using Stream bundle = OpenBundle(parsed.GetRequiredValue(file));
                SeedFindings findings = await SeedView.ProgressAsync(
                    "verifying",
                    progress => SeedImporter.VerifyAsync(bundle, trust, new SeedLimits(settings.Store.MaxObjectBytes), progress, cancel));
                if (parsed.GetValue(s_json))
                {
                    Output.WriteJson(new
                    {
                        findings.Index,
                        Trust = findings.Trust.Select(one => new { Repository = one.Key, one.Value.IsVerified }),
                    });
                    return 0;
                }

                SeedView.Show(findings.Index, DateTimeOffset.UtcNow);
                foreach ((string fqrn, SeedTrustVerdict verdict) in findings.Trust)
                {
                    Console.WriteLine(verdict.IsVerified
                        ? $"{fqrn}: verified by this site's master key"
                        : $"{fqrn}: the chain holds by the bundle's own key; this site has none for it");
                }

                return 0;
            },
            cancel));
        return command;
    }

    private static Command CreateShow()
    {
        Argument<string> file = new("FILE") { Description = "The bundle; '-' reads standard input" };
        Command command = new("show", "Show what a bundle says that it carries; 'verify' checks it") { file, s_json };
        command.SetAction((parsed, cancel) => SeedHost.RunAsync(
            async () =>
            {
                await using Stream bundle = OpenBundle(parsed.GetRequiredValue(file));
                SeedIndex index = await new SeedReader(bundle, new SeedLimits(long.MaxValue)).ReadIndexAsync(cancel);
                if (parsed.GetValue(s_json))
                {
                    Output.WriteJson(index);
                    return 0;
                }

                SeedView.Show(index, DateTimeOffset.UtcNow);
                return 0;
            },
            cancel));
        return command;
    }

    private static Command CreateList()
    {
        Command command = new("list", "List the seeds of the store") { s_json, SettingsFile.Option };
        command.SetAction((parsed, cancel) => SeedHost.RunAsync(
            async () =>
            {
                IReadOnlyList<SeedRecord> seeds = await WithStoreOrServerAsync<IReadOnlyList<SeedRecord>>(
                    parsed.GetValue(SettingsFile.Option), services => services.GetRequiredService<SeedRegistry>().ListJudged(),
                    client => client.GetAsync<IReadOnlyList<SeedRecord>>("seeds", cancel), cancel);
                if (parsed.GetValue(s_json))
                {
                    Output.WriteJson(seeds);
                    return 0;
                }

                SeedView.Show(seeds, DateTimeOffset.UtcNow);
                return 0;
            },
            cancel));
        return command;
    }

    private static Command CreateRemove()
    {
        Argument<string> name = new("NAME") { Description = "The seed, as 'seed list' shows it" };
        Command command =
            new("remove", "Unpin a seed and forget it; its objects stay until the room is needed") { name, s_allNodes, s_json,
            SettingsFile.Option };
        command.SetAction((parsed, cancel) => SeedHost.RunAsync(
            async () =>
            {
                string seed = parsed.GetRequiredValue(name);
                bool asJson = parsed.GetValue(s_json);
                return parsed.GetValue(s_allNodes)
                    ? await AllNodes.RunAsync(parsed.GetValue(SettingsFile.Option), true, async (client, token) =>
                        await ShowRemovedAsync(seed, await RemoveAsync(client, seed, token), asJson), cancel)
                    : await ShowRemovedAsync(seed, await WithStoreOrServerAsync(
                        parsed.GetValue(SettingsFile.Option), services => services.GetRequiredService<SeedRegistry>().Remove(seed),
                        client => RemoveAsync(client, seed, cancel), cancel), asJson);
            },
            cancel));
        return command;
    }

    /// <summary>False: there is none of this name.</summary>
    private static async Task<bool> RemoveAsync(AdminClient client, string seed, CancellationToken cancellationToken)
    {
        try
        {
            await client.DeleteAsync<object>($"seeds/{Uri.EscapeDataString(seed)}", cancellationToken);
            return true;
        }
        catch (AdminException e) when (e.Status == System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static async Task<int> ShowRemovedAsync(string seed, bool wasThere, bool asJson)
    {
        if (asJson)
        {
            Output.WriteJson(new { Name = seed, WasThere = wasThere });
        }
        else if (wasThere)
        {
            Console.WriteLine($"Seed {seed} is removed.");
        }
        else
        {
            await Console.Error.WriteLineAsync($"There is no seed '{seed}'. See 'breakwater seed list'.");
        }

        return wasThere ? 0 : ExitCodes.Found;
    }

    private static Task<T> WithStoreOrServerAsync<T>(
        FileInfo? settingsFile, Func<IServiceProvider, T> direct, Func<AdminClient, Task<T>> remote, CancellationToken cancellationToken)
    {
        ReadableSettings read = OnDisk.Read(settingsFile, s_offline);
        return OnDisk.OnStoreOrServerAsync(
            read,
            () => SeedHost.WithStoreAsync(
                read.Configuration, read.Settings, services => Task.FromResult(direct(services)), cancellationToken),
            remote);
    }

    private static Stream OpenBundle(string file) => file == "-"
        ? Console.OpenStandardInput()
        : BundleParts.Open(file);
}
