using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Admin;

/// <summary>Boots on the admin port.</summary>
internal sealed class BootRoom(BootBoard board, BootTimelines boots, IEnumerable<IObjectPaths> paths) : IAdminRoom
{
    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("boots", "A page of the boots of one storm: stopped ones first, then those that boot, then the slowest.", List,
            typeof(BootPage));
        admin.Read("boots/{id:int}", "A boot with its requests.", (int id) => boots.Find(id) is { } found
            ? Results.Json(new BootDetails(found.Boot, [.. found.Requests.Select(r => ToView(found.Boot.Repository, r))]), AdminServer.Json)
            : new AdminProblem($"Boot {id} is not known any more.", "Boots are kept in memory, the newest 12,000.")
                .Result(StatusCodes.Status404NotFound), typeof(BootDetails));
    }

    /// <summary>A page of the boots of one storm.</summary>
    private IResult List(int? storm, string? client, string? repository, string? state, string? sort, int? offset, int? limit)
    {
        if (!TryName(state, out BootState? wanted) || !TryName(sort, out BootOrder? order))
        {
            return new AdminProblem(
                $"'{(TryName(state, out wanted) ? sort : state)}' is not known here.",
                $"state is one of {Names<BootState>()}; sort is one of {Names<BootOrder>()}.").Result();
        }

        if (offset < 0 || limit is < 1 or > BootQuery.MaxLimit)
        {
            return new AdminProblem($"offset begins at 0; limit is from 1 to {BootQuery.MaxLimit}.").Result();
        }

        var query = new BootQuery
        {
            Storm = storm,
            Client = client?.Trim(),
            Repository = repository?.Trim(),
            State = wanted,
            Order = order ?? BootOrder.Attention,
            Offset = offset ?? 0,
            Limit = limit ?? 100,
        };
        return board.Find(query) is { } page
            ? Results.Json(page, AdminServer.Json)
            : new AdminProblem($"Storm {storm} is not known any more.", "GET /api/v1/storms lists those that are.")
                .Result(StatusCodes.Status404NotFound);
    }

    /// <summary>A name without regard to case; numbers are none.</summary>
    private static bool TryName<T>(string? text, out T? value)
        where T : struct, Enum
    {
        value = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        value = char.IsAsciiLetter(text[0]) && Enum.TryParse(text, ignoreCase: true, out T parsed) && Enum.IsDefined(parsed)
            ? parsed
            : null;
        return value is not null;
    }

    private static string Names<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()));

    private BootRequestView ToView(string? fqrn, BootRequest request)
    {
        string? path = request.Target;
        if (path is null && request.HasKey && Fqrn.TryParse(fqrn, out Fqrn repository))
        {
            ObjectKey key = request.Key;
            path = paths.Select(p => p.Find(repository, key)).FirstOrDefault(p => p is not null) ?? key.ToPath();
        }

        return new BootRequestView(Math.Round(request.StartMs, 3), Math.Round(request.DurationMs, 3), request.Source,
            RequestRecorder.NameOf(request.Result), request.Bytes, path ?? "-");
    }
}
