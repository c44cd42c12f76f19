namespace Breakwater.Proxy.Admin;

/// <summary>
/// Ends the process from the admin port, as SIGTERM does: clients are told to come back, responses under way end, the store commits.
/// </summary>
internal sealed class LifetimeRoom(IHostApplicationLifetime lifetime) : IAdminRoom
{
    /// <inheritdoc/>
    public void Map(AdminApi admin) => admin.Action("drain", "Ends the process as SIGTERM does.", () =>
    {
        lifetime.StopApplication();
        return new LifetimeAnswer(
            "Draining: responses under way end, then Breakwater stops with exit code 0. A systemd unit with Restart=on-failure does not "
            + "start it again.");
    });
}
