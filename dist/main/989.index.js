export const id = 989;
export const ids = [989];
export const modules = {

/***/ 989:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   createHttpRequest: () => (/* binding */ u),
/* harmony export */   createMcpProbe: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(254);
/* harmony import */ var _session_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(327);
/* harmony import */ var _base_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(122);
/* harmony import */ var _zod_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(346);
function u(e){return async(t,n,r)=>{let i=await e(t,{redirect:`manual`,credentials:`omit`,headers:{"user-agent":`ink-deploy (health check)`,accept:`*/*`,"cache-control":`no-cache`},signal:n}),{status:a}=i,o=i.headers.get(`location`),s=r===void 0?void 0:await m(i,r),c=r===void 0&&a>=400?await p(i):void 0;return await i.body?.cancel(),{status:a,...o!==null&&{location:o},...s!==void 0&&{contains:s},...c!==void 0&&{text:c}}}}async function*d({body:e},t){let n=0;for await(let r of e?.values({preventCancel:!0})??[])if(yield r,n+=r.byteLength,n>=t)return}const f=2e3;async function p(e){let t=[];for await(let n of d(e,f))t.push(n);return new TextDecoder().decode(Buffer.concat(t).subarray(0,f))}async function m(e,t){if([...e.headers].some(([e,n])=>`${e}: ${n}`.includes(t)))return!0;let n=new TextDecoder,r=``;for await(let i of d(e,1e6))if(r=r.slice(-t.length)+n.decode(i,{stream:!0}),r.includes(t))return!0;return!1}const h=2e3,g={messageBytes:4e6,totalBytes:8e6};function _(t){return async(a,o)=>{let s=v((0,_base_js__WEBPACK_IMPORTED_MODULE_2__.Dn)(t,g)),c=new _session_js__WEBPACK_IMPORTED_MODULE_1__.n(a,{fetch:s,requestInit:{redirect:`error`}}),l=()=>void c.close();o.addEventListener(`abort`,l,{once:!0});try{return await c.open({signal:o}),await x(c,o)}catch(e){throw S(e)}finally{o.removeEventListener(`abort`,l),await (0,_base_js__WEBPACK_IMPORTED_MODULE_2__.nr)(_base_js__WEBPACK_IMPORTED_MODULE_2__.er,2e3,new AbortController().signal,()=>c.terminate()).catch(()=>void 0),await c.close()}}}function v(e){return async(t,n)=>n?.method===`GET`?new Response(null,{status:405}):e(t,n)}const y=(0,_zod_js__WEBPACK_IMPORTED_MODULE_3__.l)({tools:(0,_zod_js__WEBPACK_IMPORTED_MODULE_3__.i)((0,_zod_js__WEBPACK_IMPORTED_MODULE_3__.g)()),nextCursor:(0,_zod_js__WEBPACK_IMPORTED_MODULE_3__.m)().optional().catch(void 0)}),b=(0,_zod_js__WEBPACK_IMPORTED_MODULE_3__.d)({name:(0,_zod_js__WEBPACK_IMPORTED_MODULE_3__.m)()});async function x(e,t){let n=[];if(e.server?.capabilities.tools===void 0)return n;try{await (0,_base_js__WEBPACK_IMPORTED_MODULE_2__.nr)(_base_js__WEBPACK_IMPORTED_MODULE_2__.er,1e4,t,async t=>{let r;for(let i=0;i<10&&n.length<h;i+=1){let i=r===void 0?{}:{cursor:r},a=await e.request({method:`tools/list`,params:i},y,{signal:t});if(n.push(...a.tools.flatMap(e=>b.safeParse(e).data?.name??[])),r=a.nextCursor,r===void 0)break}})}catch{t.throwIfAborted()}return n.slice(0,h)}function S(e){return e instanceof _session_js__WEBPACK_IMPORTED_MODULE_1__.r?e.code===401||e.code===403?/* @__PURE__ */ Error(`HTTP ${e.code}, it asks for authorization; give health in ink.yml a path, and the status 401, instead`):e.code===void 0?e:/* @__PURE__ */ Error(`HTTP ${e.code}`):e}

/***/ })

};
