using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;

namespace Breakwater.Proxy.Admin;

/// <summary>Seeds on the admin port: list, upload, remove.</summary>
internal sealed class SeedRoom(SeedRegistry seeds, SeedImporter importer, SeedStart start, SeedLimits limits, KeysWatch keys) : IAdminRoom
{
    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("/seeds", "The seeds that were imported.", List);
        admin.Read("/seeds/bootable", "What can boot from them, in words.", () => start.Statements());
        admin.Upload("/seeds", "Imports a seed bundle: everything in it is verified before any of it counts.", ImportAsync);
        admin.Remove("/seeds/{name}", "Forgets a seed, and lets its objects go.", Remove);
    }

    private IReadOnlyList<SeedRecord> List()
    {
        keys.Look();
        return seeds.ListJudged();
    }

    private IResult Remove(string name)
    {
        try
        {
            return seeds.Remove(name)
                ? Results.Ok(new { Removed = name })
                : new AdminProblem($"There is no seed '{name}'.", "See 'breakwater seed list'.").Result(StatusCodes.Status404NotFound);
        }
        catch (SeedStoreException e)
        {
            return new AdminProblem(e.Message).Result(StatusCodes.Status409Conflict);
        }
    }

    private async Task<IResult> ImportAsync(HttpRequest request, string? name, string? published)
    {
        if (name is not null && !SeedName.IsValid(name))
        {
            return new AdminProblem($"'{name}' is no name for a seed: {SeedName.Rule}.").Result();
        }

        keys.Look(); // whoever copies a key and imports means that key
        try
        {
            var source = new BundleSource(request.Body, limits);
            return Results.Ok(published is null
                ? await importer.ImportAsync(source, name, null, request.HttpContext.RequestAborted)
                : await importer.PublishAsync(source, published, request.HttpContext.RequestAborted));
        }
        catch (Exception e) when (e is SeedRefusedException or SeedStoreException)
        {
            // Read to the end: a client that is still sending would see a broken connection instead of the reason.
            await request.Body.CopyToAsync(Stream.Null, request.HttpContext.RequestAborted);
            return e is SeedRefusedException
                ? new AdminProblem($"The bundle is refused: {e.Message}",
                "Nothing of it was kept.").Result(StatusCodes.Status422UnprocessableEntity)
                : new AdminProblem(e.Message).Result(StatusCodes.Status507InsufficientStorage);
        }
    }
}
