using System.Text;
using System.Text.Json;
using Breakwater.Proxy.Admin;

namespace Breakwater.Proxy.Commands;

/// <summary>Working sets from site to site: all of them in one JSON list.</summary>
internal static class ProfileTransfer
{
    /// <summary>All sets, or those of one repository, in the order of <c>profile list</c>.</summary>
    /// <exception cref="AdminException">The running Breakwater does not give them.</exception>
    public static async Task<List<JsonElement>> ExportAsync(AdminClient client, string? repository, CancellationToken cancellationToken)
    {
        List<JsonElement> all = [];
        foreach (WorkingSetView view in await client.GetAsync<WorkingSetView[]>("working-sets", cancellationToken))
        {
            if (repository is null || view.Repository == repository)
            {
                all.Add(await client.GetAsync<JsonElement>(ProfileCommand.PathOf(view.Repository, view.Name), cancellationToken));
            }
        }

        return all;
    }

    /// <summary>Hands every set of a list in. One that is refused is named on standard error and hinders none of the others.</summary>
    /// <param name="client">The running Breakwater.</param>
    /// <param name="text">The list.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    /// <returns>The sets that are in, and how many are not.</returns>
    public static async Task<(List<WorkingSetView> Imported, int Refused)> ImportAsync(AdminClient client, byte[] text,
        CancellationToken cancellationToken)
    {
        using JsonDocument list = JsonDocument.Parse(text);
        List<WorkingSetView> imported = [];
        int refused = 0;
        foreach (JsonElement set in list.RootElement.ValueKind == JsonValueKind.Array ? [.. list.RootElement.EnumerateArray()]
            : new[] { list.RootElement })
        {
            string? repository = TextOf(set, "repository");
            string? name = TextOf(set, "name");
            try
            {
                if (repository is null || name is null)
                {
                    throw new AdminException("it is not a working set: name and repository are needed.",
                        System.Net.HttpStatusCode.BadRequest);
                }

                using var body = new MemoryStream(Encoding.UTF8.GetBytes(set.GetRawText()));
                imported.Add(await client.UploadAsync<WorkingSetView>(ProfileCommand.PathOf(repository, name), body, cancellationToken));
            }
            catch (AdminException e) when (e.Status is not null)
            {
                refused++;
                await Console.Error.WriteLineAsync($"{name ?? "?"} of {repository ?? "?"}: {e.Message}");
            }
        }

        return (imported, refused);
    }

    private static string? TextOf(JsonElement set, string property) =>
        set.ValueKind == JsonValueKind.Object && set.TryGetProperty(property, out JsonElement value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
