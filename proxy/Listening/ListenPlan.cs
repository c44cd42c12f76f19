using System.Net;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Listening;

/// <summary>
/// Where the process listens: the settings say where, and a socket that a service manager handed over is used for the address that it has.
/// What the settings name and nobody handed over is opened.
/// </summary>
internal sealed class ListenPlan
{
    private const string Proxy = "Proxy:Listen";
    private const string ProxyTls = "Proxy:TlsListen";
    private const string Wpad = "ZeroTouch:Listen";
    private const string Admin = "Admin:Listen";
    private const string Snmp = "Snmp:Listen";

    /// <summary>
    /// The name that a socket unit may give (<c>FileDescriptorName=</c>), and the setting that such a socket is for; any other name says
    /// nothing.
    /// </summary>
    private static readonly Dictionary<string, string?> s_names = new(StringComparer.Ordinal)
    {
        ["proxy"] = Proxy,
        ["proxy-tls"] = ProxyTls,
        ["wpad"] = Wpad,
        ["admin"] = Admin,
        ["snmp"] = Snmp,
        ["node"] = null,
    };

    private ListenPlan(IReadOnlyList<ListenPoint> clients, IReadOnlyList<ListenPoint> tlsClients, ListenPoint? admin, ListenPoint? snmp,
        IReadOnlyList<string> errors)
    {
        Clients = clients;
        TlsClients = tlsClients;
        AdminPort = admin;
        SnmpPort = snmp;
        Errors = errors;
    }

    /// <summary>Of <c>Proxy:Listen</c> and <c>ZeroTouch:Listen</c>.</summary>
    public IReadOnlyList<ListenPoint> Clients { get; }

    /// <summary>Of <c>Proxy:TlsListen</c>.</summary>
    public IReadOnlyList<ListenPoint> TlsClients { get; }

    /// <summary>Of <c>Admin:Listen</c>; null when there is none.</summary>
    public ListenPoint? AdminPort { get; }

    /// <summary>Of <c>Snmp:Listen</c>; null when there is none.</summary>
    public ListenPoint? SnmpPort { get; }

    /// <summary>
    /// Sockets that no setting names, each with what to do. If there is one, the process must not start: nobody would answer its clients.
    /// </summary>
    public IReadOnlyList<string> Errors { get; }

    /// <summary>Does a service manager keep one of the clients' ports?</summary>
    public bool IsHandedOver => Clients.Concat(TlsClients).Any(point => point.Sockets.Count > 0);

    /// <summary>Finds for each setting the sockets that have its address.</summary>
    public static ListenPlan Make(BreakwaterSettings settings, IReadOnlyList<InheritedSocket> handedOver)
    {
        List<InheritedSocket> left = [.. handedOver];
        ListenPoint? Take(string setting, IPEndPoint? endPoint, bool isDatagram = false)
        {
            if (endPoint is null)
            {
                return null;
            }

            InheritedSocket[] own =
                [.. left.Where(socket => socket.IsDatagram == isDatagram && IsFor(endPoint, socket.EndPoint) && MayBe(socket, setting))];
            left.RemoveAll(own.Contains);
            return new ListenPoint(endPoint, own);
        }

        ListenPoint[] clients =
        [
            .. settings.Proxy.ListenEndPoints().Select(endPoint => Take(Proxy, endPoint)!),
            .. Take(Wpad, settings.ZeroTouch.ListenEndPoint()) is { } wpad ? [wpad] : (ListenPoint[])[],
        ];
        ListenPoint[] tlsClients = [.. settings.Proxy.TlsListenEndPoints().Select(endPoint => Take(ProxyTls, endPoint)!)];
        ListenPoint? admin = Take(Admin, settings.Admin.ListenEndPoint());
        ListenPoint? snmp = Take(Snmp, settings.Snmp.ListenEndPoint(), isDatagram: true);
        return new ListenPlan(clients, tlsClients, admin, snmp, [.. left.Select(socket => Unnamed(socket, settings))]);
    }

    private static bool MayBe(InheritedSocket socket, string setting) =>
        !s_names.TryGetValue(socket.Name, out string? named) || named == setting;

    /// <summary>Has a socket the address of a setting? All interfaces may be one socket for both families, or one for each.</summary>
    private static bool IsFor(IPEndPoint wanted, IPEndPoint? has) =>
        has is not null
        && (wanted.Equals(has)
        || (wanted.Port == has.Port && wanted.Address.Equals(IPAddress.IPv6Any) && has.Address.Equals(IPAddress.Any)));

    private static string Unnamed(InheritedSocket socket, BreakwaterSettings settings)
    {
        string named = string.Join(", ", ((string Setting, string Value)[])[
            (Proxy, string.Join(", ", settings.Proxy.ListenEndPoints())),
            (ProxyTls, string.Join(", ", settings.Proxy.TlsListenEndPoints())),
            (Wpad, $"{settings.ZeroTouch.ListenEndPoint()}"),
            (Admin, $"{settings.Admin.ListenEndPoint()}"),
            (Snmp, $"{settings.Snmp.ListenEndPoint()}")]
            is var all ? all.Where(one => one.Value.Length > 0).Select(one => $"{one.Setting} is {one.Value}") : []);
        string role = s_names.TryGetValue(socket.Name, out string? setting)
            ? $" for {setting ?? "a port that this version does not have"}"
            : "";
        return $"The service manager handed over a socket that no setting names{role}: {socket}. {named}. Name its address in the "
            + $"settings, or have the socket unit written from them and "
            + $"open the ports again: {SocketUnit.Remedy}";
    }
}
