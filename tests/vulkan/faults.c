// A Vulkan layer between the loader and the driver that fails as drivers do, for tests of the real program:
//   FAULT=lost     the device is lost: nothing is submitted or waited for any more
//   FAULT=memory   the device has no memory left for a further buffer
// from the moment on at which the file FAULT_WHEN has been written FAULT_TIMES times, each time anew in place of the
// last (the program writes so). Built and named to the loader by tests/src/vulkan.rs. A process opens one device of one
// driver at a time, so what belongs to it is kept once.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;
static VkDevice opened;

// Whether it is time, and this is the fault asked for. Threads may count a writing twice; tests ask for few.
static int fails(const char *as) {
  static ino_t last;
  static int writings;
  const char *kind = getenv("FAULT"), *when = getenv("FAULT_WHEN"), *times = getenv("FAULT_TIMES");
  struct stat now;
  if (!kind || !when || !times || strcmp(kind, as) != 0) return 0;
  if (writings < atoi(times) && stat(when, &now) == 0 && now.st_ino != last) {
    last = now.st_ino;
    writings++;
  }
  return writings >= atoi(times);
}

// A function of the device that fails so, else does what the driver does.
#define FAILS(name, fault, result, parameters, device, arguments)           \
  static VKAPI_ATTR VkResult VKAPI_CALL name parameters {                   \
    if (fails(fault)) return result;                                        \
    return ((PFN_vk##name)next_device(device, "vk" #name)) arguments;       \
  }
#define LOSES(name, parameters, device, arguments) FAILS(name, "lost", VK_ERROR_DEVICE_LOST, parameters, device, arguments)
#define LACKS(name, parameters, device, arguments) FAILS(name, "memory", VK_ERROR_OUT_OF_DEVICE_MEMORY, parameters, device, arguments)

LOSES(QueueSubmit, (VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence), opened, (queue, count, infos, fence))
LOSES(WaitForFences, (VkDevice device, uint32_t count, const VkFence *fences, VkBool32 all, uint64_t ns), device, (device, count, fences, all, ns))
LOSES(GetFenceStatus, (VkDevice device, VkFence fence), device, (device, fence))
LOSES(WaitSemaphores, (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t ns), device, (device, info, ns))
LOSES(GetSemaphoreCounterValue, (VkDevice device, VkSemaphore semaphore, uint64_t *value), device, (device, semaphore, value))
LACKS(CreateBuffer, (VkDevice device, const VkBufferCreateInfo *info, const VkAllocationCallbacks *own, VkBuffer *buffer), device, (device, info, own, buffer))
LACKS(AllocateMemory, (VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *own, VkDeviceMemory *memory), device, (device, info, own, memory))

// The loader's link to the next layer or driver, among the structures that extend a creation.
#define LINK(type, info, wanted)                                                                               \
  type *link = (type *)(info)->pNext;                                                                          \
  while (link && !(link->sType == wanted && link->function == VK_LAYER_LINK_INFO)) link = (type *)link->pNext; \
  if (!link) return VK_ERROR_INITIALIZATION_FAILED

static VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *own, VkInstance *instance) {
  LINK(VkLayerInstanceCreateInfo, info, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  return ((PFN_vkCreateInstance)next_instance(NULL, "vkCreateInstance"))(info, own, instance);
}

static VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice adapter, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *own, VkDevice *device) {
  LINK(VkLayerDeviceCreateInfo, info, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  PFN_vkGetInstanceProcAddr instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateDevice)instance(NULL, "vkCreateDevice"))(adapter, info, own, device);
  if (result == VK_SUCCESS) opened = *device;
  return result;
}

static PFN_vkVoidFunction ours(const char *name) {
  static const struct { const char *name; PFN_vkVoidFunction function; } all[] = {
#define OURS(name) {"vk" #name, (PFN_vkVoidFunction)name}
      OURS(CreateInstance), OURS(CreateDevice),  OURS(QueueSubmit),  OURS(WaitForFences),  OURS(GetFenceStatus),
      OURS(WaitSemaphores), OURS(CreateBuffer),  OURS(AllocateMemory), OURS(GetSemaphoreCounterValue),
  };
  for (size_t index = 0; index < sizeof all / sizeof *all; index++)
    if (strcmp(name, all[index].name) == 0) return all[index].function;
  return NULL;
}

VK_LAYER_EXPORT PFN_vkVoidFunction VKAPI_CALL vkGetDeviceProcAddr(VkDevice device, const char *name) {
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (PFN_vkVoidFunction)vkGetDeviceProcAddr;
  PFN_vkVoidFunction function = ours(name);
  return function ? function : next_device(device, name);
}

VK_LAYER_EXPORT PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  if (strcmp(name, "vkGetInstanceProcAddr") == 0) return (PFN_vkVoidFunction)vkGetInstanceProcAddr;
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (PFN_vkVoidFunction)vkGetDeviceProcAddr;
  PFN_vkVoidFunction function = ours(name);
  return function || !next_instance ? function : next_instance(instance, name);
}
