using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Cluster;

/// <summary>What a node says of itself with every answer of its node port, and in short with every request.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Site">Its site.</param>
/// <param name="Protocol">Version of what nodes say to each other.</param>
/// <param name="Weight">Its share.</param>
/// <param name="Instance">Differs in each process, so that two nodes with the same id can be told apart.</param>
/// <param name="State">Hash of what it offers beside objects (<see cref="NodeState"/>).</param>
internal sealed record NodeAnnouncement(string Id, string Site, int Protocol, double Weight, string Instance, string State)
{
    /// <summary>The field that carries it.</summary>
    public const string Field = "Breakwater-Node";

    /// <summary>The version spoken here. Nodes of another one are in no ring with this one.</summary>
    public const int CurrentProtocol = 1;

    private const int MaxLength = 512;

    /// <summary>Reads what <see cref="ToString"/> wrote; what a later version adds is skipped.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out NodeAnnouncement? announcement)
    {
        announcement = null;
        if (text is null || text.Length > MaxLength)
        {
            return false;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                values[part[..equals]] = part[(equals + 1)..];
            }
        }

        if (!ClusterCheck.IsWord(values.GetValueOrDefault("id")) || !ClusterCheck.IsWord(values.GetValueOrDefault("site"))
            || !ClusterCheck.IsWord(values.GetValueOrDefault("instance"))
            || !int.TryParse(values.GetValueOrDefault("protocol"), NumberStyles.None, CultureInfo.InvariantCulture, out int protocol)
            || !double.TryParse(values.GetValueOrDefault("weight"), NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)
            || !double.IsFinite(weight) || weight <= 0)
        {
            return false;
        }

        announcement = new NodeAnnouncement(values["id"], values["site"], protocol, weight, values["instance"],
            values.GetValueOrDefault("state", ""));
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"id={Id};site={Site};protocol={Protocol};weight={Weight};instance={Instance};state={State}");
}
