using System.Text;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary>The working sets for an export: those of the store that the settings name, asked of the server when one owns it.</summary>
internal static class SeedWorkingSets
{
    /// <summary>The set of that name of each repository.</summary>
    /// <exception cref="SeedExportException">A repository has none of that name.</exception>
    /// <exception cref="AdminException">The server that owns the store does not give it.</exception>
    public static async Task<IReadOnlyDictionary<string, WorkingSet>> LoadAsync(
        FileInfo? settingsFile, IReadOnlyList<string> repositories, string name, CancellationToken cancellationToken)
    {
        (IConfigurationRoot configuration, BreakwaterSettings settings) = SettingsFile.Read(settingsFile);
        try
        {
            return await SeedHost.WithStoreAsync(
                configuration, settings,
                services => Task.FromResult(Find(services.GetRequiredService<WorkingSetStore>(), repositories, name)), cancellationToken);
        }
        catch (StoreInUseException)
        {
            return await AskAsync(settings, repositories, name, cancellationToken);
        }
    }

    /// <summary>The set of that name of each repository, in this store.</summary>
    /// <exception cref="SeedExportException">A repository has none of that name.</exception>
    public static IReadOnlyDictionary<string, WorkingSet> Find(WorkingSetStore sets, IReadOnlyList<string> repositories, string name) =>
        repositories.Distinct(StringComparer.Ordinal).ToDictionary(
            fqrn => fqrn,
            fqrn => Find(sets, Fqrn.Parse(fqrn), name),
            StringComparer.Ordinal);

    private static WorkingSet Find(WorkingSetStore sets, Fqrn fqrn, string name) =>
        sets.Find(fqrn, name) ?? (name == LearnedBoots.Name ? LearnedBoots.Of(sets.Of(fqrn)) : null)
        ?? throw new SeedExportException(
            $"{fqrn} has no working set '{name}'. " + (sets.Any(fqrn)
                ? $"It has: {string.Join(", ", sets.Of(fqrn).Select(set => set.Name))}."
                : "It has none: let a VM boot through this proxy, or hand one in with 'breakwater profile import'."));

    private static async Task<IReadOnlyDictionary<string, WorkingSet>> AskAsync(
        BreakwaterSettings settings, IReadOnlyList<string> repositories, string name, CancellationToken cancellationToken)
    {
        Dictionary<string, WorkingSet> sets = new(StringComparer.Ordinal);
        using var client = new AdminClient(settings);
        foreach (string fqrn in repositories.Distinct(StringComparer.Ordinal))
        {
            try
            {
                sets[fqrn] = await AskAsync(client, fqrn, name, cancellationToken);
            }
            catch (AdminException e) when (e.Status == System.Net.HttpStatusCode.NotFound && name == LearnedBoots.Name)
            {
                List<WorkingSet> all = [];
                foreach (WorkingSetView view in await client.GetAsync<WorkingSetView[]>("working-sets", cancellationToken))
                {
                    if (view.Repository == fqrn && view.Source == WorkingSetSource.Learned)
                    {
                        all.Add(await AskAsync(client, fqrn, view.Name, cancellationToken));
                    }
                }

                sets[fqrn] = LearnedBoots.Of(all) ?? throw new SeedExportException($"Nothing was learned of {fqrn} yet. {e.Message}");
            }
        }

        return sets;
    }

    private static async Task<WorkingSet> AskAsync(AdminClient client, string fqrn, string name, CancellationToken cancellationToken)
    {
        JsonElement json = await client.GetAsync<JsonElement>($"working-sets/{fqrn}/{Uri.EscapeDataString(name)}", cancellationToken);
        return WorkingSetFile.Read(Encoding.UTF8.GetBytes(json.GetRawText())).TryGet(out WorkingSet? set, out string? problem)
            ? set
            : throw new SeedExportException($"The working set '{name}' of {fqrn}: {problem}");
    }
}
