using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// YARP brings ASP.NET's data protection with it, for cookies of session affinity, which no Stratum 1 has. As it comes it makes a folder in
/// the user's home and warns of keys that are not encrypted. Whoever adds YARP to services, if only to ask it, uses this after it.
/// </summary>
internal static class PlainKeys
{
    /// <summary>Keys in memory alone, made when somebody should want one.</summary>
    public static void Use(IServiceCollection services)
    {
        services.RemoveAll<IDataProtectionProvider>();
        services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        foreach (ServiceDescriptor starter in services.Where(IsStarter).ToList())
        {
            services.Remove(starter);
        }
    }

    private static bool IsStarter(ServiceDescriptor service) => service.ServiceType == typeof(IHostedService)
        && service.ImplementationType?.Assembly == typeof(EphemeralDataProtectionProvider).Assembly;
}
