using Breakwater.Proxy.Trends;

namespace Breakwater.Proxy.Admin;

/// <summary>What the server remembers of traffic and storms, on the admin port.</summary>
internal sealed class HistoryRoom(TrafficHistory history) : IAdminRoom
{
    private const int MostStorms = 100;

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("storms", "Storms of the last 30 days, the newest first.", (int? limit) =>
             history.Storms(Math.Clamp(limit ?? MostStorms, 1, TrafficHistory.MaxStorms)));
        admin.Read("history", "Traffic of the last day by minutes, or of the last month by hours.", (string? span) => span switch
        {
            null or "" or "day" => history.Day,
            "month" => history.Month,
            _ => (object)new AdminProblem(
                $"'{span}' is no span.", "It is day (a point a minute) or month (30 days, a point an hour).").Result(),
        }, typeof(HistoryColumns));
    }
}
