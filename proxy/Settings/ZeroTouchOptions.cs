using System.Net;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>ZeroTouch</c>: what lets a VM find this proxy by itself.</summary>
internal sealed class ZeroTouchOptions
{
    /// <summary>
    /// A second address, usually <c>[::]:80</c>: VMs ask <c>http://grid-wpad/wpad.dat</c> and <c>http://wpad/wpad.dat</c>. Null or empty,
    /// the default: none.
    /// </summary>
    public string? Listen { get; set; }

    /// <summary>
    /// The site's proxies as VMs reach them, <c>host:port</c>: the PAC file names them, in an order that differs from client to client.
    /// Empty: the address that the VM asked, with the proxy's port.
    /// </summary>
    [Reloaded]
    public string[] Proxies { get; set; } = [];

    /// <summary>Folder served under <c>/boot/</c>: boot images, kernels, an iPXE script. Null or empty, the default: none.</summary>
    public string? BootDirectory { get; set; }

    /// <summary>Takes over changed settings, for all who have these.</summary>
    public void Take(ZeroTouchOptions changed) => Proxies = changed.Proxies;

    /// <summary>The parsed <see cref="Listen"/>.</summary>
    public IPEndPoint? ListenEndPoint() => string.IsNullOrEmpty(Listen) ? null : IPEndPoint.Parse(Listen);
}
