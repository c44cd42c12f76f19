using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Admin;

/// <summary>The pins on the admin port: what is kept from eviction, and how to let it go. They are made by <c>warm</c>.</summary>
internal sealed class PinRoom(FasterObjectStore store) : IAdminRoom
{
    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("pins", "What is kept from eviction.", () => store.Pins.List());
        admin.Action("pins/remove", "Lets a pin go.", Remove, typeof(PinSet));
        admin.Remove("pins", "Lets a pin go.", Remove, typeof(PinSet));
    }

    private IResult Remove(string name)
    {
        PinSet[] pins = [.. store.Pins.List()];
        string[] meant = PinName.Meant(name, [.. pins.Select(pin => pin.Name)]);
        if (meant.Length > 1)
        {
            return new AdminProblem($"Several pins have the name '{name}': {string.Join(", ", meant)}.", "Give one of these.")
                .Result(StatusCodes.Status409Conflict);
        }

        name = meant is [var one] ? one : name;
        if (new PinName(name).TryGetSeed(out string? seed))
        {
            return new AdminProblem($"The pin '{name}' belongs to the seed '{seed}'.", $"Remove the seed: breakwater seed remove {seed}")
                .Result(StatusCodes.Status409Conflict);
        }

        if (new PinName(name).IsDeclared)
        {
            return new AdminProblem($"The pin '{name}' is declared in the settings.", $"Take it out of Pins: {name.Split('/')[^1]}")
                .Result(StatusCodes.Status409Conflict);
        }

        PinSet? pin = pins.FirstOrDefault(set => set.Name == name);
        return pin is not null && store.Pins.Remove(name)
            ? Results.Json(pin, AdminServer.Json)
            : new AdminProblem($"There is no pin '{name}'.", "See them with 'breakwater pin list'.").Result(StatusCodes.Status404NotFound);
    }
}
