using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Admin;

/// <summary>Status on the admin port.</summary>
internal sealed class StatusRoom(IEnumerable<IStatusPart> parts, BreakwaterSettings settings, Health health, BootBoard boots,
    ISiteNodes nodes, TimeProvider time) : IAdminRoom
{
    private readonly long _startedAt = time.GetTimestamp();
    private AdminApi? _api;

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        _api = admin;
        admin.Read("status", "What the proxy does right now, and what can be read and done.", Status);
    }

    private ServerStatus Status()
    {
        BootSnapshot board = boots.Now;
        var status = new ServerStatus
        {
            Version = Telemetry.Version,
            Time = time.GetUtcNow(),
            UptimeSeconds = time.GetElapsedTime(_startedAt).TotalSeconds,
            Health = health.Check(),
            Storm = board.Newest,
            BootsVersion = board.Version,
            StorePath = settings.Store.Path!,
            StoreDiskFreeBytes = FreeBytes(settings.Store.Path!),
            WorkingSetBytes = Environment.WorkingSet,
            Nodes = nodes.Summary,
            Reads = _api!.Reads,
            Actions = _api.Actions,
        };
        return parts.Aggregate(status, static (sum, part) => part.AddTo(sum));
    }

    private static long FreeBytes(string path)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return -1;
        }
    }
}
