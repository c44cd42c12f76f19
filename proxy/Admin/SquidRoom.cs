using Breakwater.Proxy.Observability.Squid;

namespace Breakwater.Proxy.Admin;

/// <summary>squid's cache manager on the admin port: <c>/squid-internal-mgr/info</c> and its neighbours.</summary>
internal sealed class SquidRoom(SquidPages pages) : IAdminRoom
{
    /// <summary>Where squid has them.</summary>
    public const string Root = "/squid-internal-mgr/";

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        foreach ((string name, _, Func<string> write) in pages.All)
        {
            admin.Page(Root + name, () => Results.Text(write()));
        }

        admin.Page(Root, () => Results.Text(pages.All[0].Write()));
    }
}
